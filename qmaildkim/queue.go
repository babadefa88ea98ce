package qmaildkim

import (
	"errors"
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/qmail"

	"golang.org/x/sys/unix"
)

// deliver hands a message over to q and returns the queue program's exit code. A
// program that stops reading decides by its code too. When the message cannot
// be read to its end, the program gets no envelope and so does not queue it.
func deliver(q *qmail.Queue, p *processed, envelope []byte) qmail.Code {
	err := p.writeTo(q.Message)
	q.Message.Close()
	whole := err == nil || errors.Is(err, syscall.EPIPE)
	if q.Envelope != nil {
		if whole {
			// Only a program that has ended, or wants no more, makes this fail.
			_, _ = q.Envelope.Write(envelope)
		}
		q.Envelope.Close()
	}
	code := q.Wait()
	if !whole {
		return qmail.ReadError
	}
	return code
}

// writeTo writes the message with its new fields to a pipe.
func (p *processed) writeTo(pipe *os.File) error {
	if _, err := io.WriteString(pipe, p.fields); err != nil {
		return err
	}
	for _, part := range p.parts() {
		if err := p.msg.writeTo(pipe, part.from, part.to); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes the bytes [from, to) of the message to a pipe, out of a file
// without taking them into memory.
func (s *spool) writeTo(pipe *os.File, from, to int64) error {
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
			_, err = io.Copy(pipe, s.section(from, to-from))
			return err
		}
		if err == nil {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}
