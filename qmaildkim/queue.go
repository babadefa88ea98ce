package qmaildkim

import (
	"errors"
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/inherit"
	"ucspi-go/internal/qmail"

	"golang.org/x/sys/unix"
)

// A queue is a queue program that was started: it reads the message from its
// descriptor 0 and then the envelope from 1.
type queue struct {
	pid               int
	message, envelope *os.File // the ends to write to; envelope is nil for a filter
}

// A queueError says that the queue program could not be started.
type queueError struct {
	code qmail.Code
	err  error
}

func (e *queueError) Error() string { return "qmaildkim: queue program: " + e.err.Error() }
func (e *queueError) Unwrap() error { return e.err }

// startQueue starts program in the folder home with a new pipe as descriptor
// 0 and, for an envelope, one as descriptor 1. It inherits every other
// descriptor that this process inherited, since it may report by one of them.
// The error is a *queueError.
func startQueue(home, program string, environ []string, envelope bool) (*queue, error) {
	messageOut, messageIn, err := pipe()
	if err != nil {
		return nil, &queueError{qmail.NoPipe, err}
	}
	defer messageOut.Close()
	q := &queue{message: messageIn}
	files := []int{int(messageOut.Fd()), 1, 2}
	if envelope {
		envelopeOut, envelopeIn, err := pipe()
		if err != nil {
			q.close()
			return nil, &queueError{qmail.NoPipe, err}
		}
		defer envelopeOut.Close()
		q.envelope = envelopeIn
		files[1] = int(envelopeOut.Fd())
	}
	q.pid, err = inherit.Start(&inherit.Program{
		File:    program,
		Args:    []string{program},
		Dir:     home,
		Environ: environ,
		Files:   files,
	})
	if err != nil {
		q.close()
		code := qmail.NoExec
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) {
			code = qmail.NoFork
		}
		return nil, &queueError{code, err}
	}
	return q, nil
}

func (q *queue) close() {
	q.message.Close()
	if q.envelope != nil {
		q.envelope.Close()
	}
}

// pipe returns the ends of a pipe that wait in the kernel: os.Pipe would start
// the runtime's poller; see prog.Open.
func pipe() (r, w *os.File, err error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(p[0]), "pipe"), os.NewFile(uintptr(p[1]), "pipe"), nil
}

// deliver hands a message over and returns the queue program's exit code. A
// program that stops reading decides by its code too. When the message cannot
// be read to its end, the program gets no envelope and so does not queue it.
func (q *queue) deliver(p *processed, envelope []byte) qmail.Code {
	err := q.writeMessage(p)
	q.message.Close()
	whole := err == nil || errors.Is(err, syscall.EPIPE)
	if q.envelope != nil {
		if whole {
			// Only a program that has ended, or wants no more, makes this fail.
			_, _ = q.envelope.Write(envelope)
		}
		q.envelope.Close()
	}
	code := q.wait()
	if !whole {
		return qmail.ReadError
	}
	return code
}

func (q *queue) writeMessage(p *processed) error {
	if _, err := io.WriteString(q.message, p.fields); err != nil {
		return err
	}
	for _, part := range p.parts() {
		if err := p.msg.writeTo(q.message, part.from, part.to); err != nil {
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

// wait returns the exit code of the program, Crashed when a signal ended it.
func (q *queue) wait() qmail.Code {
	status, err := qmail.Wait(q.pid)
	if err != nil || !status.Exited() {
		return qmail.Crashed
	}
	return qmail.Code(status.ExitStatus())
}
