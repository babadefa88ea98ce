package qmailqueue

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/qmail"
)

// lifetime is how long a qmail-queue may take. It must stay under the 36
// hours after which qmail-send removes files that never got into todo: an
// older qmail-queue could commit a message whose file is gone.
const lifetime = 24 * time.Hour

// catchSignals gives signals the meaning they have for qmail-queue: a hangup
// or an interrupt does not stop mail that is being written, an alarm ends the
// program without cleaning up, and the marks of a fault exit as such.
func catchSignals() {
	signal.Ignore(syscall.SIGPIPE, syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGQUIT,
		syscall.SIGINT, syscall.SIGHUP, syscall.SIGXCPU, syscall.SIGXFSZ)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGALRM, syscall.SIGILL, syscall.SIGABRT, syscall.SIGFPE,
		syscall.SIGBUS, syscall.SIGSEGV, syscall.SIGSYS)
	go func() {
		if <-caught == syscall.SIGALRM {
			os.Exit(int(qmail.TimedOut))
		}
		os.Exit(int(qmail.Bug))
	}()
	// Not a timer of the runtime, which would start its poller; see prog.Open.
	unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: unix.NsecToTimeval(int64(lifetime))})
}
