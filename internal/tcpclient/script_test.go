package tcpclient

import (
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// Messages that nobody reads do not end the program: SIGPIPE is ignored until
// the connection is made.
func TestUnreadMessages(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	cmd := exec.Command(filepath.Join(testprog.Dir(t), "tcpclient"), "-vRHl0", "127.0.0.1", port, "echo", "alive")
	if out := unread(t, cmd); out != "alive\n" || !cmd.ProcessState.Success() {
		t.Errorf("%q, %v", out, cmd.ProcessState)
	}
}

// fill makes an address where nobody answers: a listener that accepts none,
// and has as many as it may keep waiting. It returns the port; for port 0 the
// kernel chooses one.
func fill(t *testing.T, address string, port uint16) uint16 {
	t.Helper()
	socket := func() int {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return fd
	}
	listener := socket()
	if err := syscall.Bind(listener, sockaddr(netip.AddrPortFrom(netip.MustParseAddr(address), port))); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(listener, 0); err != nil {
		t.Fatal(err)
	}
	local, err := syscall.Getsockname(listener)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(socket(), local); err != nil {
		t.Fatal(err)
	}
	return addrPort(local).Port()
}

// unread runs cmd with a standard error that has no reader, and returns its
// standard output.
func unread(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	r, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer stderr.Close()
	var stdout strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	cmd.Run()
	return stdout.String()
}
