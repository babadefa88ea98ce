package qmail

import (
	"errors"
	"os"
	"syscall"

	"ucspi-go/internal/inherit"
)

// A Queue is a queue program that was started: it reads the message from its
// descriptor 0 and then the envelope from 1.
type Queue struct {
	Message, Envelope *os.File // the ends to write to, for the caller to close; Envelope is nil for a filter
	pid               int
}

// A QueueError says that a queue program could not be started.
type QueueError struct {
	Code Code // NoPipe, NoFork or NoExec
	Err  error
}

func (e *QueueError) Error() string { return "qmail: queue program: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *QueueError) Unwrap() error { return e.Err }

// StartQueue starts program in the folder home with a new pipe as descriptor
// 0 and, for an envelope, one as descriptor 1. It inherits every other
// descriptor that this process inherited, since it may report by one of them.
// The error is a *QueueError.
func StartQueue(home, program string, environ []string, envelope bool) (*Queue, error) {
	messageOut, messageIn, err := pipe()
	if err != nil {
		return nil, &QueueError{NoPipe, err}
	}
	defer messageOut.Close()
	q := &Queue{Message: messageIn}
	files := []int{int(messageOut.Fd()), 1, 2}
	if envelope {
		envelopeOut, envelopeIn, err := pipe()
		if err != nil {
			q.close()
			return nil, &QueueError{NoPipe, err}
		}
		defer envelopeOut.Close()
		q.Envelope = envelopeIn
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
		code := NoExec
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) {
			code = NoFork
		}
		return nil, &QueueError{code, err}
	}
	return q, nil
}

func (q *Queue) close() {
	q.Message.Close()
	if q.Envelope != nil {
		q.Envelope.Close()
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

// Wait returns the exit code of the program, Crashed when a signal ended it.
func (q *Queue) Wait() Code {
	status, err := Wait(q.pid)
	if err != nil || !status.Exited() {
		return Crashed
	}
	return Code(status.ExitStatus())
}
