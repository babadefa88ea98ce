package qmailsmtpd

import (
	"bufio"
	"os"
	"syscall"

	"ucspi-go/internal/inherit"
	"ucspi-go/internal/qmail"
)

// A queue is a running queue program that is being given a message.
type queue struct {
	pid     int
	code    qmail.Code // NoExec when the program could not be executed: there is no process then
	message *bufio.Writer
	failed  bool // the program did not take everything, or must not commit it

	messageFd, envelopeFd, errorFd int
}

// openQueue starts the queue program in directory home, with its own use of
// the buffer until it has finished: the message on
// descriptor 0, the envelope on 1, and one pipe for the program's own words
// on 4, where sagredo's and indimail's programs write, and on 6, where
// notqmail's do. An error says that there are no pipes or no process. A
// program that cannot be executed is no error yet: as in C, where the process
// exists by then, it shows when the message has been received.
func openQueue(program, home string, environ []string, buffer *bufio.Writer) (receiver, error) {
	var pipes [3][2]int
	for i := range pipes {
		if err := syscall.Pipe2(pipes[i][:], syscall.O_CLOEXEC); err != nil {
			for _, p := range pipes[:i] {
				closeAll(p[0], p[1])
			}
			return nil, os.NewSyscallError("pipe2", err)
		}
	}
	message, envelope, words := pipes[0], pipes[1], pipes[2]
	pid, err := inherit.Start(&inherit.Program{
		File:    program,
		Args:    []string{program},
		Dir:     home,
		Environ: environ,
		Files:   []int{message[0], envelope[0], 2, inherit.None, words[1], inherit.None, words[1]},
	})
	closeAll(message[0], envelope[0], words[1])
	q := &queue{pid: pid, messageFd: message[1], envelopeFd: envelope[1], errorFd: words[0]}
	switch err {
	case nil:
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE:
		closeAll(q.messageFd, q.envelopeFd, q.errorFd)
		return nil, err
	default:
		q.code, q.failed = qmail.NoExec, true
	}
	buffer.Reset(fdWriter(q.messageFd))
	q.message = buffer
	return q, nil
}

// put gives the program a piece of the message. When it takes no more, the
// rest is dropped, because the client's data must be read to its end.
func (q *queue) put(piece []byte) {
	if q.failed {
		return
	}
	if _, err := q.message.Write(piece); err != nil {
		q.failed = true
	}
}

func (q *queue) spoil() { q.failed = true }

// abandon leaves the program with a message that ends early and no envelope,
// so that it commits nothing, and does not wait for it.
func (q *queue) abandon() { closeAll(q.messageFd, q.envelopeFd, q.errorFd) }

// finish ends the message, gives the envelope unless something failed, and
// waits for the program.
func (q *queue) finish(e *envelope) (reply string, pid int) {
	q.failed = q.message.Flush() != nil || q.failed
	closeAll(q.messageFd)
	if !q.failed {
		q.failed = e.writeTo(fdWriter(q.envelopeFd)) != nil
	}
	closeAll(q.envelopeFd)
	words := readWords(q.errorFd)
	closeAll(q.errorFd)
	if q.code == qmail.Queued {
		status, err := qmail.Wait(q.pid)
		switch {
		case err != nil:
			return "451 qq waitpid surprise (#4.3.0)", q.pid
		case !status.Exited():
			return "451 qq crashed (#4.3.0)", q.pid
		}
		q.code = qmail.Code(status.ExitStatus())
	}
	return q.code.ReplyWith(words, q.failed), q.pid
}

// maxWords is the length in bytes at which a queue program's words are cut.
const maxWords = 255

// readWords returns what the queue program says about its refusal. The pipe
// is read to its end, since a program that says more must not be blocked.
func readWords(fd int) string {
	var words []byte
	buf := make([]byte, 512)
	for {
		n, err := syscall.Read(fd, buf)
		switch {
		case err == syscall.EINTR:
		case err != nil || n == 0:
			return string(words)
		default:
			words = append(words, buf[:min(n, maxWords-len(words))]...)
		}
	}
}

// fdWriter is a descriptor in blocking mode.
type fdWriter int

func (fd fdWriter) Write(p []byte) (done int, err error) {
	for done < len(p) {
		n, err := syscall.Write(int(fd), p[done:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

func closeAll(fds ...int) {
	for _, fd := range fds {
		syscall.Close(fd)
	}
}
