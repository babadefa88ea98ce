package testprog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a running tcpserver, or any program with its options -1 and its
// meaning of SIGTERM.
type Server struct {
	Port string // that it listens on
	Cmd  *exec.Cmd

	stderr *os.File // write end of the pipe that the server logs to
	mu     sync.Mutex
	change sync.Cond
	log    []byte
	late   bool // the patience is over
	drained,
	exited chan struct{}
}

// serverPatience bounds each wait, so that a server that hangs fails its test
// instead of stopping it.
const serverPatience = 60 * time.Second

// drainedMark ends the log: other programs may still have the pipe open, so
// there is no end of file to wait for.
const drainedMark = "\x00drained\x00"

// StartServer starts cmd, whose arguments must contain -1, and waits for its
// port. The caller calls Stop or Kill.
func StartServer(cmd *exec.Cmd) (*Server, error) {
	s := &Server{Cmd: cmd, drained: make(chan struct{}), exited: make(chan struct{})}
	s.change.L = &s.mu
	logged, stderr, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	printed, stdout, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer printed.Close()
	s.stderr, cmd.Stderr, cmd.Stdout = stderr, stderr, stdout
	err = cmd.Start()
	stdout.Close()
	if err != nil {
		return nil, err
	}
	go s.collect(logged)
	go func() {
		cmd.Wait()
		close(s.exited)
	}()
	printed.SetReadDeadline(time.Now().Add(serverPatience))
	line, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		s.Kill()
		return nil, fmt.Errorf("no port (%v), exit status %d: %s", err, cmd.ProcessState.ExitCode(), s.Log())
	}
	s.Port = strings.TrimSuffix(line, "\n")
	return s, nil
}

// collect appends what comes from the pipe to the log.
func (s *Server) collect(r *os.File) {
	defer r.Close()
	defer close(s.drained)
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		s.mu.Lock()
		s.log = append(s.log, buf[:n]...)
		before, after, end := bytes.Cut(s.log, []byte(drainedMark))
		if end {
			s.log = slices.Concat(before, after)
		}
		s.mu.Unlock()
		s.change.Broadcast()
		if end || err != nil {
			return
		}
	}
}

// Log returns what the server and its programs wrote to standard error.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.log)
}

// WaitLog waits until n lines of the log match the expression.
func (s *Server) WaitLog(expr string, n int) error {
	re, err := regexp.Compile("(?m)" + expr)
	if err != nil {
		return err
	}
	timer := time.AfterFunc(serverPatience, func() {
		s.mu.Lock()
		s.late = true
		s.mu.Unlock()
		s.change.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(re.FindAllIndex(s.log, n)) < n {
		if s.late {
			return fmt.Errorf("not %d times in the log: %s\n%s", n, expr, s.log)
		}
		s.change.Wait()
	}
	return nil
}

// Stop ends the server with SIGTERM and returns its log. An error says that
// it did not exit 0.
func (s *Server) Stop() (log string, err error) {
	err = s.end(syscall.SIGTERM)
	if err == nil && !s.Cmd.ProcessState.Success() {
		err = errors.New(s.Cmd.ProcessState.String())
	}
	return s.Log(), err
}

// Kill ends the server at once. It may be called after Stop.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Exited waits for the server to end by itself.
func (s *Server) Exited() error {
	select {
	case <-s.exited:
	case <-time.After(serverPatience):
		return errors.New("the server goes on")
	}
	io.WriteString(s.stderr, drainedMark)
	s.stderr.Close()
	<-s.drained
	return nil
}

func (s *Server) end(sig syscall.Signal) error {
	s.Cmd.Process.Signal(sig)
	return s.Exited()
}
