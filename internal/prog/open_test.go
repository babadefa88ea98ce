package prog_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
)

// A file is closed on exec and never non-blocking.
func TestOpen(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	f, err := prog.Open(name, os.O_WRONLY|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
		t.Errorf("status flags %#x, %v; want none of non-blocking", flags, err)
	}
	if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v; want close on exec", flags, err)
	}
	if _, err := f.WriteString("text"); err != nil {
		t.Fatal(err)
	}
	if data, err := prog.ReadFile(name); err != nil || string(data) != "text" {
		t.Errorf("ReadFile = %q, %v", data, err)
	}
	if _, err := prog.ReadFile(name + "/y"); prog.Errstr(err) != "not a directory" {
		t.Errorf("ReadFile under a file: %v", err)
	}
}
