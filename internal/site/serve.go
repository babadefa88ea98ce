package site

import (
	"bufio"
	"net"
	"os"
	"strings"
)

// Serve starts tcpserver with qmail-smtpd and the compiled rules on addr, for
// example "127.0.0.1:0", and returns when it listens. Options are further
// ones of tcpserver.
func (s *Site) Serve(addr string, options ...string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	args := append([]string{"-1", "-v", "-R", "-H", "-l", "mail." + s.Domain, "-x", "etc/tcp.smtp.cdb"}, options...)
	cmd := s.command("tcpserver", append(args, host, port, "bin/qmail-smtpd")...)
	if cmd.Stderr = s.Stderr; s.Stderr == nil {
		log, err := os.OpenFile(s.logFile(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer log.Close()
		cmd.Stderr = log
	}
	stdout, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer stdout.Close()
	cmd.Stdout = w
	err = cmd.Start()
	w.Close()
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		_ = cmd.Wait()
		if lines := s.Log(); len(lines) > 0 {
			return &serveError{lines[len(lines)-1]}
		}
		return errNoPort
	}
	s.server = cmd
	s.Addr = net.JoinHostPort(host, strings.TrimSpace(line))
	return nil
}

// Restart kills the server, but nothing that it has started, and starts
// another one on its address.
func (s *Site) Restart(options ...string) error {
	if err := s.server.Process.Kill(); err != nil {
		return err
	}
	_ = s.server.Wait() // it was killed
	return s.Serve(s.Addr, options...)
}

// serveError is tcpserver's own last line.
type serveError struct{ line string }

func (e *serveError) Error() string { return e.line }
