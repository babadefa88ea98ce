package prog

import (
	"strings"
	"syscall"

	"ucspi-go/internal/inherit"
)

// FindProgram calls run for each file that the program name may be, until one
// call is right, and returns what is to be reported otherwise. A name with a
// slash is that file alone; else the elements of path are searched, an empty
// one being the current directory. A file that does not exist is passed over
// silently, one that may not be run is remembered, any other error ends the
// search. Run returns nil when the program was started or the plain errno.
//
// Path is the value of $PATH, set says whether it is in the environment:
// without it the search is in /bin and /usr/bin. As ucspi-tcp 0.88
// pathexec_run.c; exec.LookPath differs in nearly every case.
func FindProgram(name, path string, set bool, run func(file string) error) error {
	if strings.Contains(name, "/") {
		return run(name)
	}
	if !set {
		path = "/bin:/usr/bin"
	}
	var denied error
	for dir := range strings.SplitSeq(path, ":") {
		if dir == "" {
			dir = "."
		}
		switch err := run(dir + "/" + name); err {
		case nil:
			return nil
		case syscall.ENOENT:
		case syscall.EACCES, syscall.EPERM, syscall.EISDIR:
			denied = err
		default:
			return err
		}
	}
	if denied != nil {
		return denied
	}
	return syscall.ENOENT
}

// Executable returns the error that execve would return for file as far as
// it can be told without starting a process: nil does not promise success.
func Executable(file string) error {
	var st syscall.Stat_t
	if err := syscall.Stat(file, &st); err != nil {
		return err
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFREG || st.Mode&0o111 == 0 {
		return syscall.EACCES
	}
	return nil
}

func (e *Env) exec(name string, argv, environ []string) error {
	path, set := e.Lookup("PATH")
	return FindProgram(name, path, set, func(file string) error {
		// Found out here, a missing file does not cost changing the limits.
		if err := Executable(file); err != nil {
			return err
		}
		return inherit.Exec(file, argv, environ)
	})
}
