package tcpclient

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
)

// The descriptors by which the program reads from and writes to the network.
const (
	readFd  = 6
	writeFd = 7
)

// takeDescriptors closes what was inherited as 6 and 7, as C does at its
// start, but keeps them occupied until giveDescriptors: else the Go runtime
// could take one for itself, and would not survive finding a connection there.
func takeDescriptors() {
	null, err := syscall.Open(os.DevNull, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	for _, fd := range []int{readFd, writeFd} {
		if ours(fd) {
			continue
		}
		if err == nil {
			syscall.Dup3(null, fd, syscall.O_CLOEXEC)
		} else {
			syscall.Close(fd)
		}
	}
	if err == nil && null != readFd && null != writeFd {
		syscall.Close(null)
	}
}

// ours reports whether a descriptor was opened in this process, which is to
// say by the Go runtime: it is closed on exec, as nothing inherited is.
func ours(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil && flags&unix.FD_CLOEXEC != 0
}

// giveDescriptors makes the connection the descriptors 6 and 7 of the program
// to be run.
func giveDescriptors(fd int) error {
	if err := duplicate(fd, readFd); err != nil {
		return prog.Fatal(111, "unable to set up descriptor 6", err)
	}
	if err := duplicate(fd, writeFd); err != nil {
		return prog.Fatal(111, "unable to set up descriptor 7", err)
	}
	return nil
}

// duplicate puts a copy of a descriptor in the place of another, open on exec.
func duplicate(from, to int) error {
	err := syscall.Dup3(from, to, 0)
	if err == syscall.EBADF {
		// Above the limit of descriptors; C does it with fcntl, which says so.
		return syscall.EINVAL
	}
	return err
}
