package tcpserver_test

import (
	"fmt"
	"net"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

var ignored = []syscall.Signal{syscall.SIGPIPE, syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH, 33}

// What each signal does was taken from ucspi-tcp 0.88's tcpserver; signal 33,
// which kills that, is the Go runtime's. 32 is the C library's own: GNU make
// starts what it starts with both ignored.
func TestSignals(t *testing.T) {
	t.Parallel()
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, 32:
			continue
		}
		t.Run(strconv.Itoa(int(sig)), func(t *testing.T) {
			t.Parallel()
			if signal.Ignored(sig) {
				t.Skip("ignored already by what runs the tests, such as nohup")
			}
			s := start(t, "-RHl0", "127.0.0.1", "0", "echo", "hello")
			if err := s.Cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			if slices.Contains(ignored, sig) {
				if got := fetch(t, s); got != "hello\n" {
					t.Errorf("the server answers %q", got)
				}
				return
			}
			if err := s.Exited(); err != nil {
				t.Fatal(err)
			}
			ws := s.Cmd.ProcessState.Sys().(syscall.WaitStatus)
			if term := sig == syscall.SIGTERM; term && ws != 0 || !term && ws.Signal() != sig {
				t.Errorf("wait status %#x", ws)
			}
			if s.Log() != "" {
				t.Errorf("the server says %q", s.Log())
			}
		})
	}
}

// slowDNS answers queries, NXDOMAIN to all, as soon as it may.
type slowDNS struct {
	addr  string
	asked chan struct{} // one value for each query
	reply func()        // lets the answers go
}

func startSlowDNS(t *testing.T) *slowDNS {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	may := make(chan struct{})
	d := &slowDNS{addr: conn.LocalAddr().String(), asked: make(chan struct{}, 1000), reply: sync.OnceFunc(func() { close(may) })}
	go func() {
		for {
			p := make([]byte, 512)
			n, from, err := conn.ReadFrom(p)
			if err != nil {
				return
			}
			d.asked <- struct{}{}
			go func() {
				<-may
				p[2], p[3] = p[2]|0x80, 3
				conn.WriteTo(p[:n], from)
			}()
		}
	}()
	t.Cleanup(d.reply)
	return d
}

// SIGTERM closes the socket at once; who was let in gets a program, and who
// has one keeps it.
func TestStopDuringLookup(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	s := startShell(t, `export DNSCACHEIP=`+d.addr+`; exec $TCPSERVER -1 -vRl0 127.0.0.1 0 sh -c 'echo hello; read x; echo $x'`)
	c := dial(t, s)
	<-d.asked
	if err := s.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for refused := false; !refused; { // from the moment that the signal arrives
		conn, err := net.DialTimeout("tcp4", "127.0.0.1:"+s.Port, patience)
		if refused = err != nil; !refused {
			conn.Close()
		}
	}
	d.reply()
	if got := c.line(t); got != "hello" {
		t.Errorf("got %q", got)
	}
	if err := s.Exited(); err != nil || !s.Cmd.ProcessState.Success() {
		t.Fatalf("the server ended with %v, %v", s.Cmd.ProcessState, err)
	}
	fmt.Fprintln(c, "still there")
	if got := c.line(t); got != "still there" {
		t.Errorf("got %q", got)
	}
	if log := s.Log(); !strings.Contains(log, "tcpserver: ok ") || strings.Contains(log, "end ") {
		t.Errorf("log:\n%s", log)
	}
}

// SIGTERM ends the server at once, with exit code 0 and no word, and leaves
// its programs and their connections alone.
func TestStopLeavesPrograms(t *testing.T) {
	t.Parallel()
	s := start(t, "-vRHl0", "127.0.0.1", "0", "sh", "-c", `echo $$; while read x; do echo $x; done`)
	var held []client
	var pids []int
	for range 5 {
		c := dial(t, s)
		pid, err := strconv.Atoi(c.line(t))
		if err != nil {
			t.Fatal(err)
		}
		held, pids = append(held, c), append(pids, pid)
	}
	waitLog(t, s, "^tcpserver: ok ", len(held))
	before := s.Log()
	if after := stop(t, s); after != before {
		t.Errorf("stopping says %q", strings.TrimPrefix(after, before))
	}
	if _, err := net.DialTimeout("tcp4", "127.0.0.1:"+s.Port, patience); err == nil {
		t.Error("somebody listens still")
	}
	for i, c := range held {
		fmt.Fprintln(c, "still there")
		if got := c.line(t); got != "still there" {
			t.Errorf("got %q", got)
		}
		if err := syscall.Kill(pids[i], 0); err != nil {
			t.Errorf("process %d: %v", pids[i], err)
		}
		c.Close()
	}
}

// SIGTERM while the host operand is being looked up.
func TestStopDuringStart(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	cmd := command(t, "-RHl0", "slow.example", "0", "true")
	cmd.Env = append(cmd.Environ(), "DNSCACHEIP="+d.addr)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	<-d.asked
	cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

// With few descriptors, as many clients as there are descriptors are served,
// after another.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	d := startSlowDNS(t)
	s := startShell(t, `ulimit -n 40; export DNSCACHEIP=`+d.addr+`; exec $TCPSERVER -1 -vRl0 -c100 127.0.0.1 0 echo hello`)
	got := make(chan string, 40)
	for range cap(got) {
		go func() {
			text, err := testprog.Fetch(s.Port, "")
			if err != nil {
				text = err.Error()
			}
			got <- text
		}()
	}
	<-d.asked
	d.reply()
	for range cap(got) {
		if text := <-got; text != "hello\n" {
			t.Errorf("got %q", text)
		}
	}
	if log := stop(t, s); strings.Contains(log, "warning") {
		t.Errorf("log:\n%s", log)
	}
}
