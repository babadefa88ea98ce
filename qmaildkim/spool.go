package qmaildkim

import (
	"io"

	"ucspi-go/internal/spool"
)

// A readError is trouble with the source of the message.
type readError struct{ err error }

func (e *readError) Error() string { return "qmaildkim: read: " + e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// A spooler reads a message and puts what it read into a spool. Its errors
// are io.EOF, *readError and *spool.Error.
type spooler struct {
	r     io.Reader
	spool *spool.Spool
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
