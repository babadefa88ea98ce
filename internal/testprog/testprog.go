// Package testprog gives tests the project's programs as real binaries, and
// scripts that run them. Only tests import it.
package testprog

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"ucspi-go/internal/sandbox"

	"github.com/rogpeppe/go-internal/testscript"
)

// Dir returns the folder that holds the project's programs under their real
// names: $UCSPI_GO_BIN when set (make sets it), else they are built once per
// test process.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// litter are the folders that Main removes at the end.
var litter struct {
	sync.Mutex
	dirs []string
}

// RemoveAtEnd lets Main remove a folder that several tests share.
func RemoveAtEnd(dir string) {
	litter.Lock()
	defer litter.Unlock()
	litter.dirs = append(litter.dirs, dir)
}

var build = sync.OnceValues(func() (string, error) {
	if dir := os.Getenv("UCSPI_GO_BIN"); dir != "" {
		return dir, nil
	}
	dir, err := os.MkdirTemp("", "ucspi-go-bin")
	if err != nil {
		return "", err
	}
	RemoveAtEnd(dir)
	return dir, Make(dir)
})

// Make builds all programs, with their real names, into dir. The environment
// is that of the tests and the settings, such as GOARCH=arm64.
func Make(dir string, settings ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	cmd := exec.Command("make", "-s", "all", "BIN="+dir)
	cmd.Dir, cmd.Env = root, append(os.Environ(), settings...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return &buildError{err, string(out)}
	}
	return nil
}

type buildError struct {
	err error
	out string
}

func (e *buildError) Error() string { return "make: " + e.err.Error() + "\n" + e.out }

// Main runs the tests and then removes the programs that they built, and what
// else RemoveAtEnd was told. A test package that uses Dir or Run calls it from
// TestMain.
func Main(m *testing.M) {
	code := m.Run()
	for _, dir := range litter.dirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// Copy puts a copy of a program into dir, where every user can run it, and
// returns its path. Another process makes it: were the file open for writing
// here, a process that a parallel test starts could hold it open, and then
// running it fails with "text busy".
func Copy(t testing.TB, program, dir string) string {
	t.Helper()
	to := filepath.Join(dir, filepath.Base(program))
	if out, err := exec.Command("cp", "-f", program, to).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		os.Chmod(d, 0o755)
	}
	return to
}

// Root returns the top of the source tree.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", os.ErrNotExist
		}
		dir = up
	}
}

// Run runs the scripts (*.txtar) of a folder with the project's programs
// first in PATH and $BIN naming their folder. Beside testscript's own
// commands a script has those of commands, and the conditions.
func Run(t *testing.T, dir string) {
	bin := Dir(t)
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds:          commands,
		Condition: func(name string) (bool, error) {
			holds, known := conditions[name]
			if !known {
				return false, errors.New("no condition " + name)
			}
			return holds(), nil
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("BIN", bin)
			return nil
		},
	})
}

// conditions are what the host of a test may lack.
var conditions = map[string]func() bool{
	"ipv6":     func() bool { return tryIPv6() == nil },
	"landlock": sandbox.Available,
}

// commands are the project's own script commands, one file each.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"dns":        dnsCommand,
	"client":     clientCommand,
	"refuse":     refuseCommand,
	"serve":      serveCommand,
	"serverlog":  serverLogCommand,
	"sink":       sinkCommand,
	"sinklog":    sinkLogCommand,
	"smtp":       smtpCommand,
	"stopserver": stopServerCommand,
}

// Peer returns the path of another project's program that a conformance test
// compares with. Where it is missing the test is skipped, or fails when
// $CONFORMANCE is "strict", as it is in CI.
func Peer(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, name)
	}
	return path
}

// Missing skips the test for want of a peer, or fails it when $CONFORMANCE is
// "strict".
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CONFORMANCE") == "strict" {
		t.Fatalf("missing peer: %s", what)
	}
	t.Skipf("missing peer: %s", what)
}
