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
	message, envelope *os.File // the ends to write to; envelope is nil for a filter
	release           *os.File // lets a program begin that was started for later; else nil
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
	return startQueue(nil, home, program, environ, envelope)
}

// startQueue starts program, or with the arguments instead this process's own
// program, which gets the name of program as the last.
func startQueue(instead []string, home, program string, environ []string, envelope bool) (*Queue, error) {
	messageOut, messageIn, err := pipe()
	if err != nil {
		return nil, &QueueError{NoPipe, err}
	}
	defer messageOut.Close()
	q := &Queue{message: messageIn}
	files := []int{int(messageOut.Fd()), 1, 2}
	if envelope {
		envelopeOut, envelopeIn, err := pipe()
		if err != nil {
			q.close()
			return nil, &QueueError{NoPipe, err}
		}
		defer envelopeOut.Close()
		q.envelope = envelopeIn
		files[1] = int(envelopeOut.Fd())
	}
	file, args := program, []string{program}
	if instead != nil {
		file, args = self, append(instead, program)
	}
	q.pid, err = inherit.Start(&inherit.Program{
		File:    file,
		Args:    args,
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

// Deliver hands over the message, which write writes to the program's pipe, and
// then the envelope, and returns the program's exit code. A program that stops
// reading decides by its code too. When write fails otherwise the program gets
// no envelope, so that it does not queue the message, and the code is
// ReadError.
func (q *Queue) Deliver(write func(pipe *os.File) error, envelope []byte) Code {
	if q.release != nil {
		// One that has ended tells why by its exit code.
		_, _ = q.release.Write([]byte{begin})
		q.release.Close()
		q.release = nil
	}
	err := write(q.message)
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
		return ReadError
	}
	return code
}

// wait returns the exit code of the program, Crashed when a signal ended it.
func (q *Queue) wait() Code {
	status, err := Wait(q.pid)
	if err != nil || !status.Exited() {
		return Crashed
	}
	return Code(status.ExitStatus())
}
