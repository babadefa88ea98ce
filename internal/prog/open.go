package prog

import (
	"io"
	"os"
	"syscall"
)

// Open opens a file as os.OpenFile does, but for blocking calls: O_NONBLOCK
// among the flags is for the opening alone. Files of os.Open start the Go
// runtime's poller, which takes two descriptors more and ends the program
// with a trace when it cannot have them. The error is an *os.PathError.
func Open(name string, flags int, perm uint32) (*os.File, error) {
	for {
		fd, err := syscall.Open(name, flags|syscall.O_CLOEXEC, perm)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
		if flags&syscall.O_NONBLOCK != 0 {
			syscall.SetNonblock(fd, false) // cannot fail on a descriptor that is open
		}
		return os.NewFile(uintptr(fd), name), nil
	}
}

// ReadInput returns what is in a file that the command line names, of which
// "-" is standard input.
func (e *Env) ReadInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(e.Stdin)
	}
	return ReadFile(name)
}

// ReadFile is os.ReadFile with Open.
func ReadFile(name string) ([]byte, error) {
	f, err := Open(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}
