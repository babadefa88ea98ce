//go:build conformance

package tcpserver_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

// Linux distributions build position-independent programs. These have
// addresses written into pages that look like those of the file.
func TestConformancePositionIndependent(t *testing.T) {
	if linkers, _ := filepath.Glob("/lib*/ld-linux*"); len(linkers) == 0 {
		testprog.Missing(t, "a dynamic linker")
	}
	dir := t.TempDir()
	if err := testprog.Make(dir, "GOFLAGS=-buildmode=pie"); err != nil {
		t.Fatal(err)
	}
	s := startCommand(t, exec.Command(filepath.Join(dir, "tcpserver"), "-1", "-RHl0", "127.0.0.1", "0", "echo", "hello"))
	for range 10 {
		if got := fetch(t, s); got != "hello\n" {
			t.Errorf("got %q", got)
		}
	}
	stop(t, s)
}
