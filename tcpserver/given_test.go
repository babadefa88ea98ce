package tcpserver_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// listener returns a listening socket and its port.
func listener(t *testing.T) (f *os.File, port string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if f, err = l.(*net.TCPListener).File(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return f, port
}

// showWorld is a program that shows what its descriptors are, and what
// supervisors set.
const showWorld = `readlink /proc/$$/fd/*; env | grep -E '^(LISTEN_|NOTIFY_|TCPSERVER_)'; true`

// knowsNothing fails the test when the world of a program has a variable of a
// supervisor, or one of the files.
func knowsNothing(t *testing.T, world string, files ...*os.File) {
	t.Helper()
	if !strings.Contains(world, "socket:[") || strings.Contains(world, "=") {
		t.Errorf("the program sees %q", world)
	}
	for _, f := range files {
		if link := link(t, f); strings.Contains(world, link) {
			t.Errorf("the program has %s: %q", link, world)
		}
	}
}

// link returns what a descriptor is, as readlink of it says.
func link(t *testing.T, f *os.File) string {
	t.Helper()
	s, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// -W socket serves the socket of a descriptor, which the programs do not have.
// It is not shut down at the end: somebody else may go on with it.
func TestSocket(t *testing.T) {
	t.Parallel()
	f, port := listener(t)
	for _, fd := range []string{"0", "3"} {
		for _, operand := range []string{"0", port} {
			cmd := command(t, "-1", "-RHl0", "-W", "socket="+fd, "ignored.example", operand, "sh", "-c", showWorld)
			if cmd.Stdin = f; fd == "3" {
				cmd.Stdin, cmd.ExtraFiles = nil, []*os.File{f}
			}
			s := startCommand(t, cmd)
			if s.Port != port {
				t.Errorf("port %s, want %s", s.Port, port)
			}
			knowsNothing(t, fetch(t, s), f)
			stop(t, s)
		}
	}
	if listens, err := syscall.GetsockoptInt(int(f.Fd()), syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN); err != nil || listens == 0 {
		t.Errorf("listens %d, %v", listens, err)
	}
}

// LISTEN_FDS counts for the process alone that LISTEN_PID names. The socket is
// the one with the port; the programs see neither variables nor sockets.
func TestListenFds(t *testing.T) {
	t.Parallel()
	a, portA := listener(t)
	b, portB := listener(t)
	udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	u, err := udp.(*net.UDPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	const ours = `LISTEN_FDS=3 LISTEN_FDNAMES=x:y:z LISTEN_PID=$$ exec `
	for _, tt := range []struct{ script, operand, want string }{
		{ours, "0", portA}, {ours, portA, portA}, {ours, portB, portB},
	} {
		s := startPassed(t, tt.script, tt.operand, u, a, b)
		if s.Port != tt.want {
			t.Errorf("operand %s: port %s, want %s", tt.operand, s.Port, tt.want)
		}
		knowsNothing(t, fetch(t, s), u, a, b)
		stop(t, s)
	}
	const another = `LISTEN_FDS=3 LISTEN_PID=1 exec `
	s := startPassed(t, another, "0", u, a, b)
	if s.Port == portA || s.Port == portB {
		t.Error("takes what is another process's")
	}
	if got := fetch(t, s); !strings.Contains(got, "LISTEN_FDS=3\n") || !strings.Contains(got, "LISTEN_PID=1\n") || !strings.Contains(got, link(t, a)) {
		t.Errorf("the program sees %q", got)
	}
	stop(t, s)
}

func startPassed(t *testing.T, script, operand string, files ...*os.File) *testprog.Server {
	t.Helper()
	cmd := exec.Command("sh", "-c", script+`"$@"`, "sh", filepath.Join(testprog.Dir(t), "tcpserver"),
		"-1", "-RHl0", "127.0.0.1", operand, "sh", "-c", showWorld)
	cmd.ExtraFiles = files
	return startCommand(t, cmd)
}

// A descriptor that does not do is told, in one line.
func TestSocketFaults(t *testing.T) {
	t.Parallel()
	f, port := listener(t)
	conn, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := conn.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, tt := range []struct{ script, want string }{
		{`exec $TCPSERVER -W socket=3 0 1 true`, "unable to use descriptor 3: it listens on port " + port},
		{`exec $TCPSERVER -W socket=4 0 0 true`, "unable to use descriptor 4: it does not listen"},
		{`exec $TCPSERVER -W socket=5 0 0 true`, "unable to use descriptor 5: not a socket"},
		{`exec $TCPSERVER -W socket=9 0 0 true`, "unable to use descriptor 9: file descriptor not open"},
		{`LISTEN_FDS=3 LISTEN_PID=$$ exec $TCPSERVER 0 1 true`, "unable to use LISTEN_FDS: not a socket"},
		{`exec $TCPSERVER -W ready=9 0 0 true`, "unable to use -W ready: file descriptor not open"},
		{`exec $TCPSERVER -W limit=/nowhere 127.0.0.1 0 true`, "unable to read /nowhere: file does not exist"},
		{`exec $TCPSERVER -W limit=/dev/null 127.0.0.1 0 true`, "unable to read /dev/null: not a number"},
		{`exec $TCPSERVER -W counters=/nowhere/x 127.0.0.1 0 true`, "unable to write /nowhere/x: file does not exist"},
	} {
		cmd := exec.Command("sh", "-c", tt.script)
		cmd.Env = append(os.Environ(), "TCPSERVER="+filepath.Join(testprog.Dir(t), "tcpserver"))
		cmd.ExtraFiles = []*os.File{f, c, null}
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 111 || strings.TrimSpace(string(out)) != "tcpserver: fatal: "+tt.want {
			t.Errorf("%s: exit %d, %q, want %q", tt.script, code, out, tt.want)
		}
	}
}
