package prog

import (
	"syscall"
	"unsafe"
)

// DefaultSignals gives the signals their default action, which is to end the
// process for most. The Go runtime has handlers for nearly all signals: with
// them SIGXFSZ is no more than an error of write, and SIGXCPU prints a trace.
// A signal that was ignored when the program was started no longer is: the
// runtime keeps no record of that.
func DefaultSignals(signals ...syscall.Signal) {
	const maskSize = 8               // bytes
	var action struct{ f [4]uint64 } // struct sigaction of the kernel, SIG_DFL being 0
	for _, s := range signals {
		syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
	}
}
