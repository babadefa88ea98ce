// Package private keeps what the processes of one user tell each other in a
// folder of that user's own, in places that everybody may write to, as /tmp.
package private

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
)

// Path returns where a program keeps its folder: in dir, or /tmp when that is
// empty, under its name and the number of the effective user.
func Path(dir, program string) string {
	return prog.TempDir(dir) + "/" + program + "." + strconv.Itoa(os.Geteuid())
}

// OpenFolder opens a folder, which it makes if need be. It must belong to the
// effective user and be closed to others, and must not be reached by a link:
// then nobody else has put anything there. The caller closes the descriptor.
// The error is a unix.Errno, EPERM for a folder that is not to be trusted.
func OpenFolder(path string) (fd int, err error) {
	_ = unix.Mkdir(path, 0o700) // the opening tells what came of it
	fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && (int(st.Uid) != os.Geteuid() || st.Mode&0o077 != 0) {
		err = unix.EPERM
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
