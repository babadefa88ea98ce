package qmail

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// HoldsEnvelope reports whether a descriptor 1 can hold an envelope. It cannot
// where it is for output, as when a queue program is run as a filter from
// control/filterargs, a .qmail file or a shell: write-only, a terminal, or a
// file at whose end it stands. Where it is none of these, a missing envelope is
// a fault. Nil is no descriptor, on which there is nothing to write either.
func HoldsEnvelope(fd *os.File) bool {
	if fd == nil {
		return true
	}
	n := int(fd.Fd())
	switch mode, err := accessMode(n); {
	case err != nil, mode == unix.O_RDONLY:
		return true
	case mode == unix.O_WRONLY:
		return false
	}
	if _, err := unix.IoctlGetTermios(n, unix.TCGETS); err == nil {
		return false
	}
	var st unix.Stat_t
	if unix.Fstat(n, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return true
	}
	at, err := unix.Seek(n, 0, io.SeekCurrent)
	return err != nil || at < st.Size
}

// ForInput reports whether a descriptor can be read and not written. A program
// that is also run by hand takes descriptor 1 for an envelope only then.
func ForInput(fd *os.File) bool {
	mode, err := accessMode(int(fd.Fd()))
	return err == nil && mode == unix.O_RDONLY
}

func accessMode(fd int) (mode int, err error) {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return flags & unix.O_ACCMODE, err
}
