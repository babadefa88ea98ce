package tcpserver

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

// catchSignals gives signals the meaning they have for tcpserver 0.88:
// SIGTERM is sent on the returned channel, SIGPIPE does nothing, and what
// kills a process by default does so. (The Go runtime would print a trace for
// some of these and swallow others.) What was ignored stays so, as far as the
// runtime has not replaced it: that is SIGHUP, SIGINT and the job control
// signals. The runtime resets all that it handles in the programs started.
func catchSignals() <-chan os.Signal {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case syscall.SIGTERM, syscall.SIGPIPE, syscall.SIGKILL, syscall.SIGSTOP,
			syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE,
			syscall.SIGURG, runtimeSignal:
		default:
			if disposition(sig) != sigIgnore {
				setDefault(sig)
			}
		}
	}
	// A fault of our own must still give its trace, so these stay with the
	// runtime, which tells those that were sent from those that happened.
	sent := make(chan os.Signal, 1)
	signal.Notify(sent, syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE)
	go func() {
		sig := (<-sent).(syscall.Signal)
		setDefault(sig)
		syscall.Kill(os.Getpid(), sig)
	}()
	return term
}

// runtimeSignal is used by the Go runtime to run a system call, here setuid,
// on every thread.
const runtimeSignal = syscall.Signal(33)

const sigIgnore = 1

// sigaction is the kernel's struct, the same on all 64-bit Linux ports of Go
// but mips. The zero value is the default disposition.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

func disposition(sig syscall.Signal) uintptr {
	var old sigaction
	rtSigaction(sig, nil, &old)
	return old.handler
}

func setDefault(sig syscall.Signal) { rtSigaction(sig, new(sigaction), nil) }

func rtSigaction(sig syscall.Signal, act, old *sigaction) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(act.mask), 0, 0)
}
