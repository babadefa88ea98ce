package tcpserver_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// load makes connections to a port as fast as some clients can, until stop is
// called, which returns how many there were. Each must be served.
func load(t *testing.T, port string) (stop func() int) {
	t.Helper()
	const atATime = 10
	var count atomic.Int64
	end := make(chan struct{})
	failed := make(chan error, atATime)
	for range atATime {
		go func() {
			for {
				select {
				case <-end:
					failed <- nil
					return
				default:
				}
				got, err := testprog.Fetch(port, "")
				if err == nil && got != "hello\n" {
					err = fmt.Errorf("served %q", got)
				}
				if err != nil {
					failed <- err
					return
				}
				count.Add(1)
			}
		}()
	}
	return func() int {
		t.Helper()
		close(end)
		for range atATime {
			if err := <-failed; err != nil {
				t.Errorf("after %d connections: %v", count.Load(), err)
			}
		}
		return int(count.Load())
	}
}

// served makes n connections.
func served(t *testing.T, port string, n int) {
	t.Helper()
	for range n {
		if got, err := testprog.Fetch(port, ""); err != nil || got != "hello\n" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// A server that has the socket from somebody else is replaced by another one,
// again and again, under load: SIGTERM to the old when the new is ready. Nobody
// is refused, and nobody who was accepted is dropped.
func TestReplaceServer(t *testing.T) {
	t.Parallel()
	f, port := listener(t)
	begin := func() *testprog.Server {
		cmd := command(t, "-1", "-RHl0", "-W", "socket=3", "0", "0", "echo", "hello")
		cmd.ExtraFiles = []*os.File{f}
		return startCommand(t, cmd) // it is ready: -1 says so
	}
	s := begin()
	stopLoad := load(t, port)
	for range 5 {
		served(t, port, 100)
		next := begin()
		if log := stop(t, s); log != "" {
			t.Errorf("log %q", log)
		}
		s = next
	}
	served(t, port, 100)
	n := stopLoad()
	t.Logf("%d connections besides", n)
	stop(t, s)
}

// renewable starts a server with -W handover whose program file can be
// replaced.
func renewable(t *testing.T, args ...string) (s *testprog.Server, file string) {
	t.Helper()
	file = testprog.Copy(t, filepath.Join(testprog.Dir(t), "tcpserver"), t.TempDir())
	return startCommand(t, exec.Command(file, append([]string{"-1", "-W", "handover"}, args...)...)), file
}

// renew puts another file in place of the server's program, has it take over
// and waits until it does.
func renew(t *testing.T, s *testprog.Server, file string) {
	t.Helper()
	other := filepath.Join(t.TempDir(), "new")
	if err := os.Mkdir(other, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(testprog.Copy(t, file, other), file); err != nil {
		t.Fatal(err)
	}
	signalServer(t, s, syscall.SIGUSR2)
	now, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		runs, err := os.Stat("/proc/" + strconv.Itoa(s.Cmd.Process.Pid) + "/exe")
		if err == nil && os.SameFile(runs, now) {
			return
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		served(t, s.Port, 1)
	}
}

// A program file takes over from the one before in the same process, again
// and again, under load. Nobody is refused, and nobody who was accepted is dropped.
func TestHandover(t *testing.T) {
	t.Parallel()
	s, file := renewable(t, "-vRHl0", "-W", "drain", "127.0.0.1", "0", "echo", "hello")
	stopLoad := load(t, s.Port)
	for range 5 {
		served(t, s.Port, 100)
		renew(t, s, file)
	}
	served(t, s.Port, 100)
	n := stopLoad()
	t.Logf("%d connections besides", n)
	log := stop(t, s) // which waits for the programs
	if strings.Contains(log, "warning") || strings.Contains(log, "fatal") {
		t.Errorf("log:\n%s", log)
	}
	if began, ended := strings.Count(log, "tcpserver: ok "), strings.Count(log, "tcpserver: end "); began != ended || began < n {
		t.Errorf("%d programs began, %d ended, for %d connections", began, ended, n)
	}
}

// A limit of a rule counts those who were connected before the handover.
func TestHandoverKeepsLimits(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), ":allow,MAXCONIP=\"1\"\n")
	s := start(t, "-vRHl0", "-x", db, "-W", "handover", "127.0.0.1", "0", "cat")
	c := dial(t, s)
	fmt.Fprintln(c, "here")
	c.line(t)
	waitLog(t, s, "^tcpserver: ok ", 1)
	signalServer(t, s, syscall.SIGUSR2)
	waitLog(t, s, `^tcpserver: status: 1/40$`, 2)
	fetch(t, s)
	waitLog(t, s, "^tcpserver: deny .* MAXCONIP:1$", 1)
	c.Close()
	waitLog(t, s, "^tcpserver: status: 0/40$", 2)
	fetch(t, s)
	waitLog(t, s, "^tcpserver: ok ", 2)
	stop(t, s)
}

// What was connected before the handover is connected after it, counted, told
// of, and reaped; a child that was no connection is none after it.
func TestHandoverKeepsConnections(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startShell(t, `{ read x <`+fifo+`; exit 7; } & exec $TCPSERVER -1 -vRHl0 -c2 -W handover -W status 127.0.0.1 0 sh -c '
		echo $$; env | grep -c TCPSERVER_; while read x; do echo $x; done'`)
	c := dial(t, s)
	pid := c.line(t)
	if got := c.line(t); got != "0" {
		t.Errorf("%s variables of the server", got)
	}
	waitLog(t, s, "^tcpserver: ok ", 1)
	for i := range 2 {
		signalServer(t, s, syscall.SIGUSR2)
		waitLog(t, s, `^tcpserver: status: 1/2$`, i+2)
	}
	signalServer(t, s, syscall.SIGUSR1)
	waitLog(t, s, `^tcpserver: table: 1/2\ntcpserver: table: pid `+pid+` from `+c.LocalAddr().String()+` age [0-9]+$`, 1)
	if err := os.WriteFile(fifo, []byte("go on\n"), 0); err != nil {
		t.Fatal(err)
	}
	waitLog(t, s, `^tcpserver: end [0-9]+ status 1792\ntcpserver: status: 1/2$`, 1)
	fmt.Fprintln(c, "still there")
	if got := c.line(t); got != "still there" {
		t.Errorf("got %q", got)
	}
	second := dial(t, s)
	second.line(t)
	if got := second.line(t); got != "0" {
		t.Errorf("%s variables of the server", got)
	}
	c.Close()
	waitLog(t, s, `^tcpserver: end `+pid+` status 0\ntcpserver: status: 1/2$`, 1)
	second.Close()
	waitLog(t, s, `^tcpserver: status: 0/2\n\z`, 1)
	stop(t, s)
}

// Where the program file is no program any more the server says so and goes
// on; SIGTERM ends it as ever.
func TestHandoverFails(t *testing.T) {
	t.Parallel()
	s, file := renewable(t, "-vRHl0", "127.0.0.1", "0", "echo", "hello")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		signalServer(t, s, syscall.SIGUSR2)
		waitLog(t, s, "^tcpserver: warning: unable to hand over: file does not exist$", i+1)
		served(t, s.Port, 10)
	}
	stop(t, s)
}

// A limit file that would keep the next program file from starting keeps this
// one there.
func TestHandoverWithBadLimit(t *testing.T) {
	t.Parallel()
	limit := filepath.Join(t.TempDir(), "limit")
	if err := os.WriteFile(limit, []byte("5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := start(t, "-vRHl0", "-W", "handover", "-W", "limit="+limit, "127.0.0.1", "0", "echo", "hello")
	if err := os.Remove(limit); err != nil {
		t.Fatal(err)
	}
	signalServer(t, s, syscall.SIGUSR2)
	waitLog(t, s, "^tcpserver: warning: unable to hand over, unable to read "+limit+": file does not exist$", 1)
	served(t, s.Port, 1)
	waitLog(t, s, "^tcpserver: status: 0/5$", 2)
	stop(t, s)
}

// SIGTERM during a handover, which waits for a lookup, ends the server; who
// was let in gets his program.
func TestStopDuringHandover(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	cmd := command(t, "-1", "-vRl0", "-W", "handover", "127.0.0.1", "0", "echo", "hello")
	cmd.Env = append(os.Environ(), "DNSCACHEIP="+d.addr)
	s := startCommand(t, cmd)
	c := dial(t, s)
	<-d.asked
	signalServer(t, s, syscall.SIGUSR2)
	signalServer(t, s, syscall.SIGTERM)
	d.reply()
	if got := c.line(t); got != "hello" {
		t.Errorf("got %q", got)
	}
	// Between two program files nobody is there to hear the signal, which then kills.
	err := s.Exited()
	if ws, ok := s.Cmd.ProcessState.Sys().(syscall.WaitStatus); err != nil || !ok || ws != 0 && ws != syscall.WaitStatus(syscall.SIGTERM) {
		t.Errorf("%v, %v", s.Cmd.ProcessState, err)
	}
}
