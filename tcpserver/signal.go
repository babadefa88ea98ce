package tcpserver

import (
	"os"
	"os/signal"
	"slices"
	"syscall"

	"ucspi-go/internal/prog"
)

// catchSignals gives signals the meaning they have for tcpserver 0.88:
// SIGTERM is an order, as those of more are, SIGPIPE does nothing, and what
// kills a process by default does so. (The Go runtime would print a trace for
// some of these and swallow others.) What was ignored at the start stays so,
// but for SIGCHLD: the kernel would then keep no status of processes.
func catchSignals(more []syscall.Signal) orders {
	o := newOrders(more)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGKILL, syscall.SIGSTOP,
			syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE,
			syscall.SIGURG, runtimeSignal:
		default:
			if !slices.Contains(more, sig) {
				prog.DefaultSignals(sig)
			}
		}
	}
	prog.ResetSignal(syscall.SIGCHLD)
	// A fault of our own must still give its trace, so these stay with the
	// runtime, which tells those that were sent from those that happened.
	sent := make(chan os.Signal, 1)
	signal.Notify(sent, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE)
	go func() {
		sig := (<-sent).(syscall.Signal)
		prog.ResetSignal(sig)
		syscall.Kill(os.Getpid(), sig)
	}()
	return o
}

// runtimeSignal is used by the Go runtime to run a system call, here setuid,
// on every thread.
const runtimeSignal = syscall.Signal(33)
