//go:build conformance

package tcpserver_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

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
	dir := t.TempDir()
	units := localUnits(t, dir)
	do := userSystemd(t, systemd, dir)
	if out := do(analyze, "verify", "--user", "--man=no", filepath.Join(units, "smtpd.socket")); strings.Contains(out, "smtpd.") {
		t.Error(out)
	}
	do("systemctl", "--user", "start", "smtpd.socket")
	guest := greeted(t)
	do("systemctl", "--user", "start", "smtpd.service") // returns when it is ready
	if err := os.WriteFile(dir+"/limit", []byte("7\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	do("systemctl", "--user", "reload", "smtpd.service")
	waitFile(t, dir+"/log", "tcpserver: status: 1/7\n")

	next := make(chan error, 1)
	go func() { // waits in the backlog for the next server, unless the old one is quicker
		c, err := net.Dial("tcp", "127.0.0.1:2525")
		if err == nil {
			_, err = io.ReadFull(c, make([]byte, len("hello\n")))
			c.Close()
		}
		next <- err
	}()
	go guest.Close()
	do("systemctl", "--user", "restart", "smtpd.service")
	if err := <-next; err != nil {
		t.Errorf("during the restart: %v", err)
	}
	do("systemctl", "--user", "stop", "smtpd.socket", "smtpd.service")
	refuses(t, "2525")
}

// localUnits writes the units for files and a port of the test into the folder
// of a user whose home is dir, and returns that folder.
func localUnits(t *testing.T, dir string) (units string) {
	t.Helper()
	units = filepath.Join(dir, ".config/systemd/user")
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
	return units
}

// userSystemd starts the systemd of a user whose home is dir, and returns what
// runs a program that talks to it.
func userSystemd(t *testing.T, systemd, dir string) (do func(program string, args ...string) string) {
	t.Helper()
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
	environ := append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR=/run/user", "XDG_CONFIG_HOME="+dir+"/.config")
	do = func(program string, args ...string) string {
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
	return do
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
