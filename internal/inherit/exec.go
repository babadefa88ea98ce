package inherit

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Exec replaces the process by the program in file, which inherits the
// limits and the signal mask that this process inherited. It returns only on
// failure, with the plain errno. Other goroutines should be idle.
func Exec(file string, argv, environ []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if Known() {
		defer setMask(setMask(state.blocked))
		for _, sig := range lost() {
			defer setAction(sig, setAction(sig, ignoring))
		}
	}
	changed := raised(memory...)
	if len(changed) == 0 {
		return syscall.Exec(file, argv, environ)
	}
	path, err := syscall.BytePtrFromString(file)
	if err != nil {
		return err
	}
	args, err := syscall.SlicePtrFromStrings(argv)
	if err != nil {
		return err
	}
	env, err := syscall.SlicePtrFromStrings(environ)
	if err != nil {
		return err
	}
	changed = append(changed, raised(files)...)
	for _, l := range changed {
		prlimit(0, l.resource, l.origin, nil)
	}
	// From here on nothing may need memory, and no thread may be made, or the
	// runtime would die of it. This way of making a call stops the world for
	// it, so that only the moment until it has is left to chance.
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])))
	if errno == syscall.ENOTSUP { // runtime/cgo is linked: only chance helps
		_, _, errno = syscall.RawSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(path)),
			uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])))
	}
	for _, l := range changed {
		high := l.raised()
		prlimit(0, l.resource, &high, nil)
	}
	return errno
}

// setMask sets the signal mask of this thread and returns the one before.
func setMask(mask uint64) (before uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setmask, uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&before)), maskSize, 0, 0)
	return before
}

// setAction sets what a signal does and returns what it did before.
func setAction(sig uintptr, action sigaction) (before sigaction) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&action)), uintptr(unsafe.Pointer(&before)), maskSize, 0, 0)
	return before
}

const (
	setmask  = 2 // SIG_SETMASK
	maskSize = 8 // bytes
)
