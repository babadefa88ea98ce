package qmaildkim

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

// maxMemory is the size in bytes up to which a message stays in memory.
const maxMemory = 256 << 10

// A spool holds a whole message until it is known what becomes of it: in
// memory, above maxMemory in a temporary file that has no name, so that no
// kind of end leaves litter. The zero value uses the system's temporary
// folder.
type spool struct {
	dir  string // folder for the file; "" is /tmp
	mem  []byte
	file *os.File
	n    int64
}

// A spoolError is trouble with the temporary file.
type spoolError struct {
	err    error
	create bool // it could not be made, as against written or read
}

func (e *spoolError) Error() string { return "qmaildkim: spool: " + e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

// A readError is trouble with the source of the message.
type readError struct{ err error }

func (e *readError) Error() string { return "qmaildkim: read: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// A spooler reads a message and puts what it read into a spool. Its errors
// are io.EOF, *readError and *spoolError.
type spooler struct {
	r     io.Reader
	spool *spool
}

func (s spooler) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if n > 0 {
		if _, err := s.spool.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// Write appends p to the message.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.mem)+len(p) <= maxMemory {
		s.mem = append(s.mem, p...)
		s.n += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		f, err := unnamedFile(s.dir)
		if err != nil {
			return 0, &spoolError{err, true}
		}
		s.file = f
		if _, err := f.Write(s.mem); err != nil {
			return 0, &spoolError{err, false}
		}
		s.mem = nil
	}
	n, err := s.file.Write(p)
	s.n += int64(n)
	if err != nil {
		return n, &spoolError{err, false}
	}
	return n, nil
}

// size returns the length of the message in bytes.
func (s *spool) size() int64 { return s.n }

// reader returns a reader of the whole message. Each has its own position.
func (s *spool) reader() io.Reader { return s.section(0, s.n) }

// section returns a reader of the n bytes at offset at.
func (s *spool) section(at, n int64) io.Reader {
	if s.file != nil {
		return io.NewSectionReader(s.file, at, n)
	}
	return bytes.NewReader(s.mem[at : at+n])
}

// Close gives the memory or the file back.
func (s *spool) Close() error {
	s.mem = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// unnamedFile opens a temporary file that has no name in dir: by O_TMPFILE,
// and where the file system does not know that by removing the name at once.
func unnamedFile(dir string) (*os.File, error) {
	if dir == "" {
		dir = "/tmp"
	}
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
	prefix := dir + "/qmail-dkim." + strconv.Itoa(os.Getpid()) + "."
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
