// Package inherit keeps what a process was started with - memory limits,
// ignored signals, the signal mask, closed descriptors - from before the Go
// runtime changes it, and starts programs that inherit the same.
//
// It is what lets a Go program run under softlimit; see docs/softlimit.md. An
// entry point of our own, in assembly, stands before that of the runtime when
// the program is linked with -ldflags '-E ucspi-go/internal/inherit.start'.
// Without it everything works, but what the runtime has changed is not known.
package inherit

import "syscall"

// origin is what a process was started with.
type origin struct {
	entered uint64 // 1 when the entry point has run
	ignored uint64 // signals that were ignored, bit n-1 for signal n
	blocked uint64 // signals that were blocked, likewise
	closed  uint64 // descriptors 0 to 2 that were closed, bit n for n

	// Limits as they were before the entry point raised the first two to
	// their maximum, and package os the third.
	as, data, files syscall.Rlimit
}

// state is the origin of this process. The entry point fills it in.
var state origin

// Known reports whether the entry point has run. Nothing else is known
// otherwise.
func Known() bool { return state.entered != 0 }

// Ignored reports whether a signal was ignored when the process started.
func Ignored(sig syscall.Signal) bool {
	return sig >= 1 && sig <= 64 && state.ignored>>(sig-1)&1 != 0
}

// Closed reports whether a descriptor, of 0, 1 and 2, was closed when the
// process started. The Go runtime has then opened /dev/null there.
func Closed(fd int) bool { return fd >= 0 && fd <= 2 && state.closed>>fd&1 != 0 }

// runtimes are signals that the Go runtime does not allow a program to ignore,
// because it uses them (33 to run a system call on each thread) or because they
// are its own faults: bit n-1 for n.
const runtimes uint64 = 1<<(syscall.SIGILL-1) | 1<<(syscall.SIGTRAP-1) | 1<<(syscall.SIGBUS-1) | 1<<(syscall.SIGFPE-1) |
	1<<(syscall.SIGSEGV-1) | 1<<(sigstkflt-1) | 1<<(syscall.SIGPROF-1) |
	1<<(syscall.SIGURG-1) | 1<<(syscall.SIGSYS-1) | 1<<(33-1)

const sigstkflt = 16 // package syscall has no name for it on mips

// sigaction is the kernel's struct.
type sigaction struct{ handler, flags, restorer, mask uint64 }

const ignore = 1 // SIG_IGN

var ignoring = sigaction{handler: ignore}

// lost returns the signals that were ignored and which the runtime does not
// ignore.
func lost() (signals []uintptr) {
	for sig := uintptr(1); sig <= 64; sig++ {
		if state.ignored&runtimes>>(sig-1)&1 != 0 {
			signals = append(signals, sig)
		}
	}
	return signals
}
