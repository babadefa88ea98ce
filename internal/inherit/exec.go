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
			syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&ignoring)), 0, maskSize, 0, 0)
		}
	}
	changed := raised()
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
	var files syscall.Rlimit
	prlimit(0, syscall.RLIMIT_NOFILE, &state.files, &files)
	for _, l := range changed {
		prlimit(0, l.resource, l.origin, nil)
	}
	// From here to the end of the call nothing may need memory, and no thread
	// may be made: that is what this way of making a call is for. Were the
	// world not stopped, the runtime could want either at any moment, and
	// would die of it.
	_, _, errno := syscall.AllThreadsSyscall(syscall.SYS_EXECVE, uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&args[0])), uintptr(unsafe.Pointer(&env[0])))
	for _, l := range changed {
		prlimit(0, l.resource, &syscall.Rlimit{Cur: l.origin.Max, Max: l.origin.Max}, nil)
	}
	prlimit(0, syscall.RLIMIT_NOFILE, &files, nil)
	return errno
}

// lower puts the memory limits of another process, which this one has
// started, back to what they were.
func lower(pid int) {
	for _, l := range raised() {
		prlimit(pid, l.resource, l.origin, nil)
	}
}

type limit struct {
	resource int
	origin   *syscall.Rlimit
}

// raised returns the memory limits that the entry point has changed.
func raised() []limit {
	var changed []limit
	for _, l := range [...]limit{{syscall.RLIMIT_AS, &state.as}, {syscall.RLIMIT_DATA, &state.data}} {
		if l.origin.Cur != l.origin.Max {
			changed = append(changed, l)
		}
	}
	return changed
}

func prlimit(pid, resource int, l, old *syscall.Rlimit) {
	syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(l)), uintptr(unsafe.Pointer(old)), 0, 0)
}

// setMask sets the signal mask of this thread and returns the one before.
func setMask(mask uint64) (before uint64) {
	syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setmask, uintptr(unsafe.Pointer(&mask)), uintptr(unsafe.Pointer(&before)), maskSize, 0, 0)
	return before
}

const (
	setmask  = 2 // SIG_SETMASK
	maskSize = 8 // bytes
)
