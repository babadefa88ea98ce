package qmail

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"ucspi-go/internal/inherit"
	"ucspi-go/internal/prog"
)

// A queue program that is started later runs in a process made before, in
// which the program of this process waits: what this process takes from itself
// in between, the queue program still has.

const (
	// laterWord is the first argument of the one that waits.
	laterWord = "queue-later"
	begin     = 'q'
	self      = "/proc/self/exe"

	// firstFree is above the descriptors that queue programs report on.
	firstFree = 10
)

// StartQueueLater is StartQueue, but that the program begins when Deliver is
// called. If that does not happen, the program never begins. What keeps it
// from beginning is the exit code that Deliver returns.
func StartQueueLater(home, program string, environ []string, envelope bool) (*Queue, error) {
	wait, release, err := pipe()
	if err != nil {
		return nil, &QueueError{NoPipe, err}
	}
	defer wait.Close()
	fd, _, errno := syscall.Syscall(syscall.SYS_FCNTL, wait.Fd(), syscall.F_DUPFD, firstFree)
	if errno != 0 {
		release.Close()
		return nil, &QueueError{NoPipe, errno}
	}
	defer syscall.Close(int(fd))
	q, err := startQueue([]string{program, laterWord, strconv.Itoa(int(fd))}, home, program, environ, envelope)
	if err != nil {
		release.Close()
		return nil, err
	}
	q.release = release
	return q, nil
}

// Later reports whether env is that of a process which StartQueueLater made.
// The caller then ends with the error.
func Later(env *prog.Env) (is bool, err error) {
	if len(env.Args) != 3 || env.Args[0] != laterWord {
		return false, nil
	}
	fd, err := strconv.Atoi(env.Args[1])
	if err != nil {
		return false, nil
	}
	prog.PlainSignals()
	wait := os.NewFile(uintptr(fd), "pipe")
	n, err := wait.Read(make([]byte, 1))
	if n == 0 || err != nil {
		return true, nil // the message is not for the queue
	}
	wait.Close()
	program := env.Args[2]
	err = inherit.Exec(program, []string{program}, env.Environ)
	if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) {
		return true, prog.Exit(int(NoFork))
	}
	return true, prog.Exit(int(NoExec))
}

// Close gives up a program that was to begin later and has not, and waits for
// its process. After Deliver it does nothing.
func (q *Queue) Close() {
	if q.release == nil {
		return
	}
	q.release.Close()
	q.release = nil
	q.close()
	_ = q.wait()
}
