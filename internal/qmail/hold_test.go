package qmail

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHoldsEnvelope(t *testing.T) {
	t.Parallel()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(pair[0]), "socket")
	defer unix.Close(pair[1])
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("Fa\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func(name string, flags int) *os.File {
		f, err := os.OpenFile(name, flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	atEnd := open(name, os.O_RDWR)
	if _, err := atEnd.Seek(0, 2); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		fd   *os.File
		want bool
	}{
		{"none", nil, true},
		{"reading end of a pipe", r, true},
		{"writing end of a pipe", w, false},
		{"socket", socket, true},
		{"file to read", open(name, os.O_RDONLY), true},
		{"file to write", open(name, os.O_WRONLY), false},
		{"file for both, at its start", open(name, os.O_RDWR), true},
		{"file for both, at its end", atEnd, false},
		{"new file for both", open(name+".new", os.O_RDWR|os.O_CREATE), false},
		{"terminal", open("/dev/ptmx", os.O_RDWR), false},
	} {
		if got := HoldsEnvelope(test.fd); got != test.want {
			t.Errorf("HoldsEnvelope(%s) = %v, want %v", test.what, got, test.want)
		}
		input := test.what == "reading end of a pipe" || test.what == "file to read"
		if test.fd != nil && ForInput(test.fd) != input {
			t.Errorf("ForInput(%s) = %v", test.what, !input)
		}
		test.fd.Close()
	}
}
