// Package qmailqueue puts messages into a qmail queue on disk, where qmail-send
// finds them. Layout, order of steps and exit codes are those of netqmail's
// and notqmail's qmail-queue.
package qmailqueue

import (
	"context"
	"io"
	"os"
	"strconv"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// NoDirSync names the variable that, when set, leaves out the fsync of the
// queue's directories: quicker, but a power failure may then lose a message
// that was acknowledged. A set-user-ID program ignores it, since its caller
// must not weaken the queue.
const NoDirSync = "QMAILQUEUE_NODIRSYNC"

// Run reads a message from descriptor 0 and its envelope from descriptor 1,
// and queues the message. It returns nil only when the message is on disk,
// where a crash cannot take it.
func Run(_ context.Context, env *prog.Env) error {
	qmail.CatchSignals()
	syscall.Umask(0o033)
	if os.Chdir(qmail.Home(env.Lookup)) != nil {
		return exit(qmail.NoHome)
	}
	if os.Chdir("queue") != nil {
		return exit(qmail.NoQueueDir)
	}
	envelope := env.Fd(1)
	if envelope == nil {
		return exit(qmail.ReadError)
	}
	return exit(enqueue(newEntry(env), env.Stdin, envelope))
}

// exit returns the error that makes the program exit with code, in silence:
// the code is all that the caller of a queue program reads.
func exit(code qmail.Code) error {
	if code == qmail.Queued {
		return nil
	}
	return prog.Exit(int(code))
}

func newEntry(env *prog.Env) *entry {
	_, noSync := env.Lookup(NoDirSync)
	return &entry{
		pid:      os.Getpid(),
		uid:      syscall.Getuid(),
		born:     time.Now(),
		syncDirs: !noSync || syscall.Getuid() != syscall.Geteuid(),
	}
}

// enqueue takes the message through the states of a queue: nothing, mess,
// mess and intd, and with todo, which makes it a queued one.
func enqueue(e *entry, message, envelope io.Reader) qmail.Code {
	passwd, _ := prog.ReadFile("/etc/passwd")
	received := "Received: (qmail " + strconv.Itoa(e.pid) + " invoked " + invoker(e.uid, passwd) + "); " + qmail.Date(e.born) + "\n"
	if code := e.create(); code != qmail.Queued {
		return code
	}
	if code := e.writeMessage(received, message); code != qmail.Queued {
		return e.cleanUp(code)
	}
	switch code := e.writeEnvelope(envelope); code {
	case qmail.Queued:
	case qmail.ReadError, qmail.WriteError:
		return e.cleanUp(code)
	default:
		return code
	}
	if code := e.commit(); code != qmail.Queued {
		return code
	}
	pullTrigger()
	return qmail.Queued
}

// pullTrigger wakes qmail-send. It never waits: without a qmail-send there is
// no reader of the FIFO, and the message will be found when one starts.
func pullTrigger() {
	fd, err := syscall.Open("lock/trigger", syscall.O_WRONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	_, _ = syscall.Write(fd, []byte{0})
	syscall.Close(fd)
}
