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

// The units of docs/services are what systemd takes for good ones, and work: as
// units of a user's systemd, since that of the host is not there for tests. The
// socket starts the service, which is ready, reads its limit again, and is
// replaced while somebody is connected, who is waited for.
func TestConformanceUnits(t *testing.T) {
	systemd := testprog.Peer(t, "/lib/systemd/systemd")
	analyze := testprog.Peer(t, "systemd-analyze")
	testprog.Peer(t, "systemctl")
	if !testprog.OwnNetwork(t) {
		return
	}
	// Here systemd wants to see that it runs the host. Nothing of the host's is
	// under the empty file system, which goes with this process.
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		testprog.Missing(t, "a /run of its own: "+err.Error())
	}
	for _, dir := range []string{"/run/systemd/system", "/run/user"} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	units := filepath.Join(dir, ".config/systemd/user")
	if err := os.MkdirAll(units, 0o755); err != nil {
		t.Fatal(err)
	}
	serviceScript(t, "s6", dir) // its files
	local := localService(dir)
	for _, name := range []string{"smtpd.socket", "smtpd.service"} {
		text := local.Replace(docPage(t, "services/systemd/"+name))
		text = strings.NewReplacer(
			"0.0.0.0:25", "127.0.0.1:2525", "127.0.0.1 0 echo hello", `127.0.0.1 2525 sh -c "echo hello; read x"`,
			"User=qmaild\n", "StandardError=append:"+dir+"/log\n",
			"exec tcpserver -1vRH", "exec "+filepath.Join(testprog.Dir(t), "tcpserver")+" -vRH",
		).Replace(text)
		if err := os.WriteFile(filepath.Join(units, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	environ := append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR=/run/user", "XDG_CONFIG_HOME="+dir+"/.config")
	do := func(program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Env = environ
		out, err := cmd.CombinedOutput()
		if err != nil {
			log, _ := os.ReadFile(dir + "/log")
			t.Fatalf("%s %q: %v\n%s%s", program, args, err, out, log)
		}
		return string(out)
	}
	if out := do(analyze, "verify", "--user", "--man=no", filepath.Join(units, "smtpd.socket")); strings.Contains(out, "smtpd.") {
		t.Error(out)
	}
	manager := exec.Command(systemd, "--user")
	manager.Env = environ
	if err := manager.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		manager.Process.Signal(syscall.SIGTERM)
		manager.Wait()
	})
	for began := time.Now(); exec.Command("test", "-S", "/run/user/systemd/private").Run() != nil; {
		if time.Since(began) > patience {
			t.Fatal("no systemd")
		}
	}
	do("systemctl", "--user", "start", "smtpd.socket")
	guest := greeted(t)
	do("systemctl", "--user", "start", "smtpd.service") // returns when it is ready
	if err := os.WriteFile(dir+"/limit", []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	do("systemctl", "--user", "reload", "smtpd.service")
	waitFile(t, dir+"/log", "tcpserver: status: 1/7\n")

	stopping := exec.Command("systemctl", "--user", "restart", "smtpd.service")
	stopping.Env = environ
	if err := stopping.Start(); err != nil {
		t.Fatal(err)
	}
	next := make(chan error, 1)
	go func() { // waits in the backlog for the next server, unless the old one is quicker
		c, err := net.Dial("tcp", "127.0.0.1:2525")
		if err == nil {
			_, err = io.ReadFull(c, make([]byte, len("hello\n")))
			c.Close()
		}
		next <- err
	}()
	guest.Close()
	if err := stopping.Wait(); err != nil {
		t.Error(err)
	}
	if err := <-next; err != nil {
		t.Errorf("during the restart: %v", err)
	}
	do("systemctl", "--user", "stop", "smtpd.socket", "smtpd.service")
	refuses(t, "2525")
}

// greeted connects to the service, and returns when its program has spoken.
func greeted(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:2525")
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(patience))
	hello := make([]byte, 6)
	if _, err := io.ReadFull(c, hello); err != nil || string(hello) != "hello\n" {
		t.Fatalf("%q, %v", hello, err)
	}
	return c
}

// waitFile waits until a file has a text.
func waitFile(t *testing.T, name, text string) {
	t.Helper()
	for began := time.Now(); ; {
		got, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(got), text) {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("no %q in %q", text, got)
		}
	}
}
