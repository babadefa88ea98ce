package inherit

import "syscall"

// A Program is what Start starts.
type Program struct {
	File    string   // path, not searched
	Args    []string // the program's argv
	Environ []string
	Dir     string // working directory; empty: this process's

	// Files are the descriptors that become the program's 0, 1 ...; None
	// is one that is not open there. Of the others it inherits those that are not
	// close-on-exec.
	Files []int
}

// None in Files is a descriptor that the program does not get.
const None = -1

// Start starts a program, which inherits what this process inherited: limits,
// ignored signals and mask, but SIGCHLD is not blocked. Signals that this
// process handles have their default disposition there. The caller waits for
// the process. The error is the plain errno of making the process or of
// running the program.
func Start(p *Program) (pid int, err error) {
	if Known() {
		if pid, err, ok := startVfork(p); ok {
			return pid, err
		}
	}
	pid, err = syscall.ForkExec(p.File, p.Args, &syscall.ProcAttr{Dir: p.Dir, Env: p.Environ, Files: standard(p.Files)})
	if err == nil {
		lower(pid) // a little late: the program has begun
	}
	return pid, err
}

// standard returns files for ForkExec, which closes those of 0 to 2 that are
// not mentioned, and keeps open those that are.
func standard(fds []int) []uintptr {
	for fd := len(fds); fd < 3; fd++ {
		if inherits(fd) {
			fds = append(fds[:fd:fd], fd)
		} else {
			fds = append(fds[:fd:fd], None)
		}
	}
	files := make([]uintptr, len(fds))
	for i, fd := range fds {
		files[i] = uintptr(fd)
	}
	return files
}

// inherits reports whether a program that is executed has descriptor fd open.
func inherits(fd int) bool {
	flags, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0 && flags&syscall.FD_CLOEXEC == 0
}
