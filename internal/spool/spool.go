// Package spool holds a message until it is known what becomes of it.
package spool

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"ucspi-go/internal/prog"

	"golang.org/x/sys/unix"
)

// MaxMemory is the size in bytes up to which a message stays in memory.
const MaxMemory = 256 << 10

// A Spool holds a whole message: in memory, above MaxMemory in a temporary
// file that has no name, so that no kind of end leaves litter. The zero value
// uses /tmp.
type Spool struct {
	Dir string // folder for the file; "" is /tmp

	mem  []byte
	file *os.File
	n    int64
}

// An Error is trouble with the temporary file.
type Error struct {
	Err    error
	Create bool // it could not be made, as against written
}

func (e *Error) Error() string { return "spool: " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Write appends p to the message. The error is an *Error.
func (s *Spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.mem)+len(p) <= MaxMemory {
		s.mem = append(s.mem, p...)
		s.n += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		f, err := unnamedFile(s.Dir)
		if err != nil {
			return 0, &Error{err, true}
		}
		s.file = f
		if _, err := f.Write(s.mem); err != nil {
			return 0, &Error{err, false}
		}
		s.mem = nil
	}
	n, err := s.file.Write(p)
	s.n += int64(n)
	if err != nil {
		return n, &Error{err, false}
	}
	return n, nil
}

// Size returns the length of the message in bytes.
func (s *Spool) Size() int64 { return s.n }

// Reader returns a reader of the whole message. Each has its own position.
func (s *Spool) Reader() io.Reader { return s.Section(0, s.n) }

// Section returns a reader of the n bytes at offset at.
func (s *Spool) Section(at, n int64) io.Reader {
	if s.file != nil {
		return io.NewSectionReader(s.file, at, n)
	}
	return bytes.NewReader(s.mem[at : at+n])
}

// SpliceTo writes the bytes [from, to) of the message to a pipe, out of a file
// without taking them into memory.
func (s *Spool) SpliceTo(pipe *os.File, from, to int64) error {
	if s.file == nil {
		_, err := pipe.Write(s.mem[from:to])
		return err
	}
	for from < to {
		n, err := unix.Splice(int(s.file.Fd()), &from, int(pipe.Fd()), nil, int(min(to-from, 1<<20)), 0)
		if err == syscall.EINTR || err == nil && n > 0 {
			continue
		}
		if err == syscall.EINVAL { // not every file system can splice
			_, err = io.Copy(pipe, s.Section(from, to-from))
			return err
		}
		if err == nil {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// ReadAt is that of io.ReaderAt.
func (s *Spool) ReadAt(p []byte, at int64) (int, error) {
	if s.file != nil {
		return s.file.ReadAt(p, at)
	}
	return bytes.NewReader(s.mem).ReadAt(p, at)
}

// Close gives the memory or the file back.
func (s *Spool) Close() error {
	s.mem = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// unnamedFile opens a temporary file that has no name in dir: by O_TMPFILE,
// and where the file system does not know that by removing the name at once.
func unnamedFile(dir string) (*os.File, error) {
	dir = prog.TempDir(dir)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0600)
	if err == nil {
		return os.NewFile(uintptr(fd), dir), nil
	}
	if err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.EINVAL {
		return nil, err
	}
	return removedFile(dir)
}

func removedFile(dir string) (*os.File, error) {
	prefix := dir + "/spool." + strconv.Itoa(os.Getpid()) + "."
	for range 9 {
		name := prefix + strconv.FormatInt(time.Now().UnixNano(), 10)
		f, err := prog.Open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0600)
		if err == nil {
			return f, os.Remove(name)
		}
		if !os.IsExist(err) {
			return nil, err
		}
	}
	return nil, syscall.EEXIST
}
