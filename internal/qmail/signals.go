package qmail

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lifetime is how long a queue program may take. It must stay under the 36
// hours after which qmail-send removes files that never got into todo, and
// readers of a Maildir those in tmp: an older program could commit a message
// whose file is gone.
const lifetime = 24 * time.Hour

// CatchSignals gives signals the meaning they have for a queue program, as
// for qmail-queue: a hangup or an interrupt does not stop mail that is being
// written, an alarm, set here to come after 24 hours, ends the program without
// cleaning up, and the marks of a fault exit as such.
func CatchSignals() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGQUIT,
		syscall.SIGINT, syscall.SIGHUP, syscall.SIGXCPU, syscall.SIGXFSZ)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGALRM, syscall.SIGILL, syscall.SIGABRT, syscall.SIGFPE,
		syscall.SIGBUS, syscall.SIGSEGV, syscall.SIGSYS)
	go func() {
		if <-caught == syscall.SIGALRM {
			os.Exit(int(TimedOut))
		}
		os.Exit(int(Bug))
	}()
	// Not a timer of the runtime, which would start its poller; see prog.Open.
	unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: unix.NsecToTimeval(int64(lifetime))})
}
