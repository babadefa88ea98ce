package sandbox_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/sandbox"
)

// The test runs itself, since what is taken away is gone for good.
const inside = "UCSPI_GO_INSIDE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(inside); dir != "" {
		tryAll(dir, os.Args[1])
		return
	}
	os.Exit(m.Run())
}

// tryAll enters a sandbox and prints a line for each thing that it then tries.
func tryAll(dir, port string) {
	n, _ := strconv.Atoi(port)
	err := sandbox.Restrict(sandbox.Rules{
		Read:    []string{dir + "/open", dir + "/file", dir + "/missing"},
		Write:   []string{dir + "/tmp"},
		Connect: []uint16{uint16(n)},
	})
	if errors.Is(err, sandbox.ErrMissing) {
		println("missing")
		return
	}
	say := func(what string, err error) {
		word := " ok"
		if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) {
			word = " forbidden"
		} else if err != nil {
			word = " " + err.Error()
		}
		println(what + word)
	}
	read := func(name string) error { _, err := os.ReadFile(dir + name); return err }
	say("restrict", err)
	say("read below a folder", read("/open/below/key"))
	say("read a file", read("/file"))
	say("read elsewhere", read("/secret"))
	say("read by a link", read("/open/link"))
	say("write where reading is allowed", os.WriteFile(dir+"/open/new", nil, 0o600))
	say("write a file that may be read", os.WriteFile(dir+"/file", nil, 0o600))
	say("write in tmp", os.WriteFile(dir+"/tmp/new", []byte("x"), 0o600))
	say("write again in tmp", os.WriteFile(dir+"/tmp/new", []byte("y"), 0o600))
	say("remove in tmp", os.Remove(dir+"/tmp/new"))
	say("make a folder in tmp", os.Mkdir(dir+"/tmp/folder", 0o700))
	say("link in tmp", os.Symlink("x", dir+"/tmp/link"))
	say("execute", syscall.Exec("/proc/self/exe", []string{"x"}, nil))
	var config net.ListenConfig
	config.SetMultipathTCP(false) // which Landlock does not know
	_, err = config.Listen(context.Background(), "tcp", "127.0.0.1:0")
	say("listen", err)
	for what, port := range map[string]string{"connect": port, "connect elsewhere": "9"} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			conn.Close()
		}
		say(what, err)
	}
	say("signal another", syscall.Kill(os.Getppid(), 0))
}

func TestRestrict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, folder := range []string{"open/below", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"open/below/key", "file", "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "open/link")); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, port)
	cmd.Env = append(os.Environ(), inside+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if string(out) == "missing\n" {
		t.Skip("no Landlock in this kernel, or a build with cgo")
	}
	for _, want := range []string{
		"restrict ok", "read below a folder ok", "read a file ok", "read elsewhere forbidden", "read by a link forbidden",
		"write where reading is allowed forbidden", "write a file that may be read forbidden", "write in tmp ok", "write again in tmp ok",
		"remove in tmp ok", "make a folder in tmp ok", "link in tmp forbidden", "execute forbidden", "listen forbidden",
		"connect ok", "connect elsewhere forbidden", "signal another forbidden",
	} {
		if !strings.Contains(string(out), want+"\n") {
			t.Errorf("not so: %s\n%s", want, out)
		}
	}
}
