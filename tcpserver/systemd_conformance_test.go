//go:build conformance

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

	"ucspi-go/internal/testprog"
)

// Started by systemd-socket-activate at the first connection, the server
// serves the socket that it passes, as LISTEN_FDS or, in the way of inetd, as
// descriptor 0, serves that connection too, and tells the notify socket how it is.
func TestConformanceSystemd(t *testing.T) {
	activate := testprog.Peer(t, "systemd-socket-activate")
	if !testprog.OwnNetwork(t) {
		return
	}
	for _, tt := range []struct{ port, activate, words string }{
		{"2525", "", ""},
		{"2526", "--inetd", "-W socket=0"},
		{"2527", "", "-W handover -W drain"},
	} {
		path := filepath.Join(t.TempDir(), "notify")
		notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer notify.Close()
		notify.SetReadDeadline(time.Now().Add(patience))
		args := append(strings.Fields(tt.activate), "-l", "127.0.0.1:"+tt.port, "-E", "NOTIFY_SOCKET="+path,
			filepath.Join(testprog.Dir(t), "tcpserver"), "-vRHl0")
		args = append(append(args, strings.Fields(tt.words)...), "0", tt.port, "sh", "-c", "echo hello; env | grep -E '^(LISTEN|NOTIFY)_'")
		cmd := exec.Command(activate, args...)
		said, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		log := bufio.NewReader(said)
		if line, err := log.ReadString('\n'); err != nil || !strings.HasPrefix(line, "Listening on ") {
			t.Fatalf("%q, %v", line, err)
		}
		served(t, tt.port, 10)
		hears(t, notify, "READY=1")
		if strings.Contains(tt.words, "handover") {
			cmd.Process.Signal(syscall.SIGUSR2)
			for !isRenewed(t, cmd.Process.Pid) {
				served(t, tt.port, 1)
			}
			served(t, tt.port, 10)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		hears(t, notify, "STOPPING=1")
		rest, err := io.ReadAll(log)
		if err2 := cmd.Wait(); err != nil || err2 != nil || !strings.Contains(string(rest), "tcpserver: ok ") {
			t.Errorf("%v, %v, %s", err, err2, rest)
		}
	}
}

// isRenewed reports whether a process runs a program file that was handed over to.
func isRenewed(t *testing.T, pid int) bool {
	t.Helper()
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if errors.Is(err, syscall.ESRCH) { // its first thread is gone, and the one that runs the file not yet in its place
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(environ), "TCPSERVER_HANDOVER=")
}

func hears(t *testing.T, notify *net.UnixConn, want string) {
	t.Helper()
	buf := make([]byte, 100)
	if n, err := notify.Read(buf); err != nil || string(buf[:n]) != want {
		t.Errorf("the notify socket hears %q, %v, want %s", buf[:n], err, want)
	}
}
