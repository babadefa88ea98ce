package tcprules

import (
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// Build compiles the rules in text to a database in the file tmp, and moves it
// to cdb when it is complete and on the disk. Both must be on one file system;
// tcpserver takes the new rules for its next connection. On any error cdb is
// what it was, and tmp may be left over.
//
// The error is or wraps a *rules.SyntaxError for the first bad line,
// rules.ErrTooBig, an *InputError when text cannot be read, an *fs.PathError
// for tmp, or an *os.LinkError for the move.
func Build(cdb, tmp string, text io.Reader) error {
	// Not exclusive, and through a symbolic link if that is what tmp is.
	// Non-blocking, because a FIFO without a reader would hang.
	f, err := prog.Open(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := write(f, input{text}); err != nil {
		return err
	}
	// Not os.Rename, which has words of its own for a folder in the way.
	if err := syscall.Rename(tmp, cdb); err != nil {
		return &os.LinkError{Op: "rename", Old: tmp, New: cdb, Err: err}
	}
	return nil
}

// write makes sure that the database is on the disk before it can replace
// the old one.
func write(f *os.File, text io.Reader) error {
	if err := rules.CompileText(text, f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// An InputError is trouble with reading the text.
type InputError struct{ Err error }

func (e *InputError) Error() string { return "tcprules: unable to read rules: " + e.Err.Error() }

// Unwrap returns the reader's error.
func (e *InputError) Unwrap() error { return e.Err }

// An input makes read errors known from write errors.
type input struct{ r io.Reader }

func (in input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	if err != nil && err != io.EOF {
		err = &InputError{err}
	}
	return n, err
}
