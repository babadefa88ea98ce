package qmaildkim

import (
	"errors"
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/qmail"
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
		if err := p.msg.SpliceTo(pipe, part.from, part.to); err != nil {
			return err
		}
	}
	return nil
}
