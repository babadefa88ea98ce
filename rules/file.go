package rules

import (
	"io"
	"io/fs"
	"syscall"
)

// A file is an open descriptor. It is not an os.File, which would start the
// poller in tcpserver for nothing.
type file struct {
	fd   int
	stat syscall.Stat_t // as it was opened
}

// openFile opens a file for reading. Non-blocking, because the open of a FIFO
// would wait for a writer.
func openFile(name string) (*file, error) {
	const flags = syscall.O_RDONLY | syscall.O_NONBLOCK | syscall.O_CLOEXEC
	f := &file{fd: -1}
	err := retry(func() (err error) {
		f.fd, err = syscall.Open(name, flags, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	err = syscall.Fstat(f.fd, &f.stat)
	if err == nil && f.stat.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		err = syscall.EISDIR
	}
	if err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f, nil
}

// ReadAt fills buf, or says why not: io.EOF at the end of the file.
func (f *file) ReadAt(buf []byte, at int64) (n int, err error) {
	for n < len(buf) {
		m := 0
		err := retry(func() (err error) {
			m, err = syscall.Pread(f.fd, buf[n:], at+int64(n))
			return err
		})
		if err != nil {
			return n, err
		}
		if m == 0 {
			return n, io.EOF
		}
		n += m
	}
	return n, nil
}

// Close closes the descriptor. A second call is an error and does nothing.
func (f *file) Close() error {
	fd := f.fd
	f.fd = -1
	return syscall.Close(fd)
}

// retry calls a system call again when a signal interrupts it.
func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
