package tcpserver_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"ucspi-go/internal/testprog"
)

const patience = 60 * time.Second

// start starts the program tcpserver -1 with args and ends it with the test.
func start(t *testing.T, args ...string) *testprog.Server {
	t.Helper()
	return startCommand(t, command(t, append([]string{"-1"}, args...)...))
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.Command(filepath.Join(testprog.Dir(t), "tcpserver"), args...)
}

// startShell starts what a shell script makes of itself with $TCPSERVER -1.
func startShell(t *testing.T, script string) *testprog.Server {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = append(os.Environ(), "TCPSERVER="+filepath.Join(testprog.Dir(t), "tcpserver"))
	return startCommand(t, cmd)
}

func startCommand(t *testing.T, cmd *exec.Cmd) *testprog.Server {
	t.Helper()
	s, err := testprog.StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

func fetch(t *testing.T, s *testprog.Server) string {
	t.Helper()
	got, err := testprog.Fetch(s.Port, "")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func stop(t *testing.T, s *testprog.Server) (log string) {
	t.Helper()
	log, err := s.Stop()
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	return log
}

func waitLog(t *testing.T, s *testprog.Server, expr string, n int) {
	t.Helper()
	if err := s.WaitLog(expr, n); err != nil {
		t.Fatal(err)
	}
}

// client is a connection to a server under test.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, s *testprog.Server) client {
	t.Helper()
	c, err := connect(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func connect(s *testprog.Server) (client, error) {
	conn, err := net.DialTimeout("tcp4", "127.0.0.1:"+s.Port, patience)
	if err != nil {
		return client{}, err
	}
	conn.SetDeadline(time.Now().Add(patience))
	return client{conn, bufio.NewReader(conn)}, nil
}

func (c client) line(t *testing.T) string {
	t.Helper()
	s, err := c.in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(s, "\n")
}

// A program sees its connection, descriptor 2 and what the server was started
// with: descriptors, ignored signals, limits. Nothing of the server's own.
func TestProgramInherits(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc")
	}
	s := startShell(t, `trap "" HUP; ulimit -Sn 512
grep -E "Sig(Blk|Ign)" /proc/self/status >&2
exec 7</dev/null; cd /proc/$$/fd; echo * >&2
exec $TCPSERVER -1 -RHl0 127.0.0.1 0 sh -c '
	cd /proc/$$/fd; echo *
	readlink /proc/$$/fd/0 /proc/$$/fd/1 | uniq | wc -l
	grep flags /proc/$$/fdinfo/0
	grep -E "Sig(Blk|Ign)" /proc/self/status
	ulimit -Sn'`)
	got := fetch(t, s)
	waitLog(t, s, "^0 1 .*7$", 1)
	i := strings.LastIndex(s.Log(), "0 1 ")
	signals, open := s.Log()[:i], s.Log()[i:]
	if want := open + "1\nflags:\t02\n" + signals + "512\n"; got != want {
		t.Errorf("the program sees %q, want %q", got, want)
	}
	stop(t, s)
}

// Of a name inherited twice no copy is left.
func TestInheritedTwice(t *testing.T) {
	t.Parallel()
	port := startRaw(t, os.Stderr, []string{"TCPREMOTEHOST=one", "A=b", "TCPREMOTEHOST=two", "TCPREMOTEINFO=x"}, "-RHl0", "127.0.0.1", "0", "/usr/bin/env")
	got, err := testprog.Fetch(port, "")
	if err != nil || !strings.Contains(got, "A=b\n") || strings.Contains(got, "TCPREMOTEHOST") || strings.Contains(got, "TCPREMOTEINFO") {
		t.Errorf("environment %q, error %v; want no names", got, err)
	}
}

// startRaw starts the server with exactly this environment, which package
// exec would clean, and returns its port. The server ends with the test.
func startRaw(t *testing.T, stderr *os.File, environ []string, args ...string) (port string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	program := filepath.Join(testprog.Dir(t), "tcpserver")
	pid, err := syscall.ForkExec(program, append([]string{"tcpserver", "-1"}, args...),
		&syscall.ProcAttr{Env: environ, Files: []uintptr{0, w.Fd(), stderr.Fd()}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(pid, syscall.SIGTERM)
		var ws syscall.WaitStatus
		if _, err := syscall.Wait4(pid, &ws, 0, nil); err != nil || ws != 0 {
			t.Errorf("the server ended with status %d, %v", ws, err)
		}
	})
	r.SetReadDeadline(time.Now().Add(patience))
	out, err := io.ReadAll(r) // ends because the server gives it up
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// Descriptors that are closed at the start, and a log that nobody reads, do
// no harm.
func TestClosedDescriptors(t *testing.T) {
	t.Parallel()
	s := startShell(t, `exec $TCPSERVER -1 -RHl0 127.0.0.1 0 echo hello <&-`)
	for range 3 {
		if got := fetch(t, s); got != "hello\n" {
			t.Errorf("got %q", got)
		}
	}
	stop(t, s)

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	port := startRaw(t, w, os.Environ(), "-vRHl0", "127.0.0.1", "0", "echo", "hello")
	for range 3 {
		if got, err := testprog.Fetch(port, ""); got != "hello\n" {
			t.Errorf("nobody reads the log: got %q, %v", got, err)
		}
	}
}

// A child of the process that became tcpserver is told of and reaped, and is
// no connection.
func TestInheritedChild(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		t.Skip("the kernel does not list children")
	}
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startShell(t, `{ read x <`+fifo+`; exit 7; } & exec $TCPSERVER -1 -vRHl0 -c1 127.0.0.1 0 cat`)
	c := dial(t, s)
	waitLog(t, s, `^tcpserver: ok `, 1)
	if err := os.WriteFile(fifo, []byte("go on\n"), 0); err != nil {
		t.Fatal(err)
	}
	waitLog(t, s, `^tcpserver: end [0-9]+ status 1792\ntcpserver: status: 1/1$`, 1)
	c.Close()
	waitLog(t, s, `^tcpserver: end [0-9]+ status 0\ntcpserver: status: 0/1$`, 1)
	stop(t, s)
}

// After the start the server's own descriptors 0 and 1 are the null device: what
// waits for the end of its output need not wait for the server, and no
// connection gets their numbers.
func TestGivesUpStandard(t *testing.T) {
	t.Parallel()
	s := start(t, "-RHl0", "127.0.0.1", "0", "true")
	fetch(t, s) // the port line comes first
	for _, fd := range []string{"0", "1"} {
		to, err := os.Readlink("/proc/" + strconv.Itoa(s.Cmd.Process.Pid) + "/fd/" + fd)
		if err != nil || to != os.DevNull {
			t.Errorf("descriptor %s is %s, %v", fd, to, err)
		}
	}
	stop(t, s)
}

// -O, the default, removes IP options, here record route, and -o leaves them.
// The program is this test itself: see TestMain.
func TestIPOptions(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	route := []byte{7, 7, 4, 0, 0, 0, 0, 0}
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptString(int(fd), syscall.IPPROTO_IP, syscall.IP_OPTIONS, string(route))
		})
		return errors.Join(err, failed)
	}}
	for _, option := range []string{"-O", "-o", ""} {
		cmd := command(t, "-1", "-RH"+strings.TrimPrefix(option, "-")+"l0", "127.0.0.1", "0", self)
		cmd.Env = append(os.Environ(), showOptions+"=1")
		s := startCommand(t, cmd)
		c, err := d.Dial("tcp4", "127.0.0.1:"+s.Port)
		if err != nil {
			t.Skip(err)
		}
		c.SetDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(c)
		c.Close()
		if want := strconv.Itoa(map[bool]int{true: len(route)}[option == "-o"]); err != nil || string(got) != want {
			t.Errorf("%q: %q bytes of options, %v, want %s", option, got, err, want)
		}
		stop(t, s)
	}
}

// showOptions in the environment makes the test a program that prints how many
// bytes of IP options its connection has.
const showOptions = "UCSPI_GO_SHOW_IP_OPTIONS"

func TestMain(m *testing.M) {
	if os.Getenv(showOptions) != "" {
		var options [40]byte
		size := uint32(len(options))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, 0, syscall.IPPROTO_IP, syscall.IP_OPTIONS,
			uintptr(unsafe.Pointer(&options)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			os.Exit(1)
		}
		os.Stdout.WriteString(strconv.Itoa(int(size)))
		os.Exit(0)
	}
	testprog.Main(m)
}
