package qmail

import (
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
)

// Refuse tells the caller of a queue program why a message is refused, and
// returns the code to exit with: Custom when the words were written where the
// caller reads them, else otherwise. The words begin with D, for good, or Z,
// for now.
func Refuse(env *prog.Env, words string, otherwise Code) Code {
	var told []int
	for _, n := range ErrorFds(env) {
		fd := int(env.Fd(n).Fd())
		// Our qmail-smtpd has one pipe on both descriptors.
		if slices.ContainsFunc(told, func(other int) bool { return sameFile(fd, other) }) {
			continue
		}
		if _, err := syscall.Write(fd, []byte(words)); err == nil {
			told = append(told, fd)
		}
	}
	if len(told) > 0 {
		return Custom
	}
	return otherwise
}

// ErrorFds returns the descriptors for the words of a refusal: the one that
// $ERROR_FD names, else those that notqmail's and sagredo's qmail-smtpd read,
// 6 and 4, where these are pipes to write to.
func ErrorFds(env *prog.Env) []int {
	if s, set := env.Lookup("ERROR_FD"); set {
		if fd := Descriptor(s); fd >= 0 && env.Fd(fd) != nil {
			return []int{fd}
		}
		return nil
	}
	var fds []int
	for _, fd := range []int{6, 4} {
		if f := env.Fd(fd); f != nil && writablePipe(int(f.Fd())) {
			fds = append(fds, fd)
		}
	}
	return fds
}

// Descriptor returns the descriptor that a setting names, -1 for none.
func Descriptor(setting string) int {
	if n, err := strconv.ParseUint(setting, 10, 20); err == nil {
		return int(n)
	}
	return -1
}

func writablePipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	mode, err := accessMode(fd)
	return err == nil && mode != unix.O_RDONLY
}

// sameFile reports whether two descriptors are of one file or pipe.
func sameFile(a, b int) bool {
	var st [2]unix.Stat_t
	return unix.Fstat(a, &st[0]) == nil && unix.Fstat(b, &st[1]) == nil &&
		st[0].Dev == st[1].Dev && st[0].Ino == st[1].Ino
}
