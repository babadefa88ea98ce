package dns

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/prog"
)

// An Error says why a name could not be looked up.
type Error struct {
	Name string // as it was given
	Err  error  // a syscall.Errno, for prog.Errstr, or context.Canceled
	bad  bool
}

// Error returns the name and the cause in djb's words.
func (e *Error) Error() string { return "dns: " + e.Name + ": " + prog.Errstr(e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether another try may succeed. It is false only for a
// name that no packet can carry.
func (e *Error) Temporary() bool { return !e.bad }

// failure reduces err to the errno that C has in the same case.
func failure(name string, err error) *Error {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		err = errno
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		err = syscall.ETIMEDOUT
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = syscall.EIO
	}
	return &Error{Name: name, Err: err}
}
