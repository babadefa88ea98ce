package prog

import (
	"io"
	"os"
	"sync"
	"syscall"

	"ucspi-go/internal/inherit"
)

// standard returns f, or a reader that fails with EBADF where the program was
// started with that descriptor closed. Without this "tcprules a b <&-" would
// replace the rules by none.
func standard(f *os.File) io.Reader {
	if wasClosed(int(f.Fd())) {
		return closedReader{}
	}
	return f
}

type closedReader struct{}

func (closedReader) Read([]byte) (int, error) { return 0, syscall.EBADF }

// wasClosed reports whether a descriptor, of 0, 1 and 2, was closed when the
// program started. The Go runtime hides that by opening /dev/null on it for
// reading and writing; a shell's "< /dev/null" opens it for reading only, which
// is how the two are told apart where nothing better is known.
func wasClosed(fd int) bool {
	if inherit.Known() {
		return inherit.Closed(fd)
	}
	var st, null syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil {
		return true
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFCHR || syscall.Stat(os.DevNull, &null) != nil || st.Rdev != null.Rdev {
		return false
	}
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFL, 0)
	return errno == 0 && flags&syscall.O_ACCMODE == syscall.O_RDWR
}

// hideClosed keeps what the Go runtime opened in place of a closed descriptor
// from the programs that this one starts.
func hideClosed() {
	for fd := range 3 {
		if inherit.Closed(fd) {
			syscall.CloseOnExec(fd)
		}
	}
}

func inherited(n int) *os.File {
	switch standard := []*os.File{os.Stdin, os.Stdout, os.Stderr}; {
	case n < 0 || n < len(standard) && wasClosed(n):
		return nil
	case n < len(standard):
		return standard[n]
	}
	// What was opened here, by us or by the runtime, is closed on exec; what
	// came through an exec is not.
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(n), syscall.F_GETFD, 0)
	if errno != 0 || flags&syscall.FD_CLOEXEC != 0 {
		return nil
	}
	f := os.NewFile(uintptr(n), "fd")
	kept.Store(f, nil)
	return f
}

// kept holds the inherited files, since one that is forgotten is closed.
var kept sync.Map
