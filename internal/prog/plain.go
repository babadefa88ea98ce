package prog

import (
	"slices"
	"syscall"
)

// PlainSignals gives the signals the meaning that they have for a program that
// says nothing about them: those that were ignored stay so, the others do what
// the kernel does by default. The Go runtime would do nothing for some that
// kill, and print a trace for others. It keeps SIGSEGV, SIGBUS and SIGFPE, so
// that a fault of our own gives its trace, and SIGURG, which it needs to stop
// its threads and which does nothing by default; keep are others that it keeps.
func PlainSignals(keep ...syscall.Signal) {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGURG:
		default:
			if !slices.Contains(keep, sig) {
				DefaultSignals(sig)
			}
		}
	}
}
