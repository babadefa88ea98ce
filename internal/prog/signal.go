package prog

import (
	"os/signal"
	"syscall"
	"unsafe"

	"ucspi-go/internal/inherit"
)

// keepIgnored ignores the signals that were ignored when the program was
// started. The Go runtime leaves SIGHUP and SIGINT so, and replaces others.
func keepIgnored() {
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if inherit.Ignored(sig) {
			signal.Ignore(sig)
		}
	}
}

// DefaultSignals gives the signals that are not ignored their default action,
// which is to end the process for most. The Go runtime has handlers for nearly
// all signals: with them SIGXFSZ is no more than an error of write, and
// SIGXCPU prints a trace.
func DefaultSignals(signals ...syscall.Signal) {
	for _, sig := range signals {
		var now sigaction
		rtSigaction(sig, nil, &now)
		if now.handler != sigIgnore {
			ResetSignal(sig)
		}
	}
}

// ResetSignal gives a signal its default action whatever it was before.
func ResetSignal(sig syscall.Signal) { rtSigaction(sig, new(sigaction), nil) }

const sigIgnore = 1

// sigaction is the kernel's struct, the same on all 64-bit Linux ports of Go
// but mips. The zero value is the default disposition.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

func rtSigaction(sig syscall.Signal, act, old *sigaction) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(act.mask), 0, 0)
}
