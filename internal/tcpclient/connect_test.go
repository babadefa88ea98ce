package tcpclient

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
)

// listen returns a listener on loopback and its port.
func listen(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return l, port
}

// refuse returns a port that refuses connections as long as the test runs.
func refuse(t *testing.T) string {
	t.Helper()
	port, release, err := testprog.Refuse()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

func TestConnect(t *testing.T) {
	t.Parallel()
	l, port := listen(t)
	for _, host := range []string{"", "0", "127.0.0.1", "[127].0.0.257"} {
		var stderr strings.Builder
		env := &prog.Env{Name: "who@", Stderr: &stderr}
		fd, err := Connect(t.Context(), env, host, port)
		if err != nil || stderr.Len() > 0 {
			t.Errorf("Connect(%q) = %v, %q", host, err, stderr.String())
			continue
		}
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if n, err := syscall.Read(fd, make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("Connect(%q): read %d, %v; want a blocking descriptor at its end", host, n, err)
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("Connect(%q): descriptor flags %#x, %v", host, flags, err)
		}
		syscall.Close(fd)
	}
}

func TestConnectFails(t *testing.T) {
	t.Parallel()
	closed := refuse(t)
	for _, tt := range []struct{ host, port, lines, fatal string }{
		{"127.0.0.1", closed, "tcpclient: unable to connect to 127.0.0.1 port " + closed + ": connection refused\n", ""},
		{"127.0.0.1.127.0.0.1", closed, strings.Repeat("tcpclient: unable to connect to 127.0.0.1 port "+closed+": connection refused\n", 2), ""},
		{"127.0.0.1", "70x", "", "fatal: unable to figure out port number for 70x"},
		{"1.2.3", "1", "", "fatal: no IP address for 1.2.3"},
		{strings.Repeat("a", 64) + ".example", "1", "", "fatal: temporarily unable to figure out IP address for " + strings.Repeat("a", 64) + ".example: protocol error"},
	} {
		var stderr strings.Builder
		env := &prog.Env{Name: "who@", Stderr: &stderr}
		_, err := Connect(t.Context(), env, tt.host, tt.port)
		var e *prog.Error
		if !errors.As(err, &e) || e.Code != 111 {
			t.Errorf("Connect(%q, %q) = %v", tt.host, tt.port, err)
			continue
		}
		fatal := ""
		if e.Severity != "" {
			fatal = e.Error()
		}
		if stderr.String() != tt.lines || fatal != tt.fatal {
			t.Errorf("Connect(%q, %q): %q and %q; want %q and %q", tt.host, tt.port, stderr.String(), fatal, tt.lines, tt.fatal)
		}
	}
}

// No address of a name is preferred.
func TestConnectRandomOrder(t *testing.T) {
	t.Parallel()
	server := testprog.NameServer(t, "both.example A 127.0.0.2\nboth.example A 127.0.0.3\n", dnsserver.Start)
	closed := refuse(t)
	first := map[string]int{}
	const tries = 64
	for range tries {
		var stderr strings.Builder
		env := &prog.Env{Stderr: &stderr, Environ: []string{"DNSCACHEIP=" + server.Addr(), "LOCALDOMAIN="}}
		if _, err := Connect(t.Context(), env, "both.example", closed); err == nil {
			t.Fatal("connected")
		}
		lines := strings.SplitAfter(stderr.String(), "\n")
		if len(lines) != 3 || lines[0] == lines[1] {
			t.Fatalf("lines %q", lines)
		}
		first[lines[0]]++
	}
	if len(first) != 2 {
		t.Errorf("of %d tries the first lines were %v", tries, first)
	}
}
