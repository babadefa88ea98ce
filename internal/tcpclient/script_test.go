package tcpclient

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/socket"
	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		v, err := syscall.GetsockoptInt(readFd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
		fmt.Println("nodelay", v, err)
		return
	}
	testprog.Main(m)
}

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// asProgram in the environment makes the test binary a program of tcpclient's
// that tells of its socket.
const asProgram = "TCPCLIENT_TEST_PROGRAM"

func TestNoDelay(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	for option, want := range map[string]string{"-d": "nodelay 0 <nil>\n", "-D": "nodelay 1 <nil>\n"} {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(filepath.Join(testprog.Dir(t), "tcpclient"), "-RHl0", option, "127.0.0.1", port, self)
		cmd.Env = append(os.Environ(), asProgram+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || string(out) != want {
			t.Errorf("%s: %q, %v; want %q", option, out, err, want)
		}
	}
}

// A name that was inherited twice is set once. Package exec would clean the
// environment.
func TestInheritedTwice(t *testing.T) {
	t.Parallel()
	_, port := listen(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	environ := []string{"TCPREMOTEHOST=one", "TCPLOCALHOST=one", "A=b", "TCPREMOTEHOST=two", "TCPLOCALHOST=two"}
	pid, err := syscall.ForkExec(filepath.Join(testprog.Dir(t), "tcpclient"),
		[]string{"tcpclient", "-RHl0", "127.0.0.1", port, "/usr/bin/env"},
		&syscall.ProcAttr{Env: environ, Files: []uintptr{0, w.Fd(), 2}})
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	syscall.Wait4(pid, nil, 0, nil)
	if s := string(got); err != nil || !strings.Contains(s, "A=b\n") || strings.Contains(s, "TCPREMOTEHOST") ||
		strings.Count(s, "TCPLOCALHOST=0\n") != 1 || strings.Count(s, "TCPLOCALHOST") != 1 {
		t.Errorf("environment %q, %v", got, err)
	}
}

// Descriptors 6 and 7 of the caller are closed while the connection is being
// made, so that nobody waits for their end.
func TestClosesFirst(t *testing.T) {
	t.Parallel()
	port := fill(t, "127.0.0.1", 0)
	cmd := exec.Command(filepath.Join(testprog.Dir(t), "tcpclient"), "-RHl0", "-T3600", "127.0.0.1", strconv.Itoa(int(port)), "true")
	if out := interrupt(t, cmd, syscall.SIGQUIT); out != "signal: quit \"\"" {
		t.Errorf("%s; want one that waits until the signal, and no trace", out)
	}
}

// interrupt starts cmd, waits until it has closed its descriptors 6 and 7,
// sends it a signal, and tells how it ended and what it said.
func interrupt(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var stderr strings.Builder
	cmd.ExtraFiles, cmd.Stderr = []*os.File{nil, nil, nil, w, w}, &stderr
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	r.SetReadDeadline(time.Now().Add(time.Minute))
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read %d, %v; want the end", n, err)
	}
	cmd.Process.Signal(sig)
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer timer.Stop()
	cmd.Wait()
	state, _, _ := strings.Cut(cmd.ProcessState.String(), " (core dumped)")
	return fmt.Sprintf("%s %q", state, stderr.String())
}

// fill makes an address where nobody answers: a listener that accepts none,
// and has as many as it may keep waiting. It returns the port; for port 0 the
// kernel chooses one.
func fill(t *testing.T, address string, port uint16) uint16 {
	t.Helper()
	addr := netip.MustParseAddr(address)
	open := func() int {
		fd, err := syscall.Socket(socket.Family(addr), syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return fd
	}
	listener := open()
	if err := syscall.Bind(listener, socket.Sockaddr(netip.AddrPortFrom(addr, port))); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(listener, 0); err != nil {
		t.Fatal(err)
	}
	local, err := syscall.Getsockname(listener)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Connect(open(), local); err != nil {
		t.Fatal(err)
	}
	at, err := socket.AddrPort(local)
	if err != nil {
		t.Fatal(err)
	}
	return at.Port()
}
