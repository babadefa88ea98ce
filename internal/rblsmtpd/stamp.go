package rblsmtpd

import (
	"hash/fnv"
	"strconv"
	"time"

	"ucspi-go/internal/private"

	"golang.org/x/sys/unix"
)

// quiet is the time for which a fault is not logged again.
const quiet = time.Minute

// due reports whether a line about a list is to be logged now: the last one,
// of whatever process, is a minute old. Each process lives for one client, so
// the folder dir holds a file for each list, whose time is that of the line.
//
// The parent of dir may be writable by everybody, as /tmp is: a folder that is
// not a folder of this user alone is left alone. Where nothing can be kept, a
// line is always due.
func due(dir, list string, now time.Time) bool {
	folder, err := private.OpenFolder(dir)
	if err != nil {
		return true
	}
	defer unix.Close(folder)
	name := stampName(list)
	fd, err := unix.Openat(folder, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err == nil {
		unix.Close(fd)
		return true
	}
	fd, err = unix.Openat(folder, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return true
	}
	defer unix.Close(fd)
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK {
		return false // another process is here, and logs if anybody has to
	}
	var st unix.Stat_t
	// A time in the future is one of a clock that was wrong.
	if unix.Fstat(fd, &st) == nil && now.Sub(time.Unix(st.Mtim.Unix())).Abs() < quiet {
		return false
	}
	stamp := unix.NsecToTimespec(now.UnixNano())
	_ = unix.UtimesNanoAt(folder, name, []unix.Timespec{stamp, stamp}, unix.AT_SYMLINK_NOFOLLOW)
	return true
}

// stampName returns a file name for a list, whose own name may hold slashes
// and be too long.
func stampName(list string) string {
	h := fnv.New64a()
	h.Write([]byte(list))
	return strconv.FormatUint(h.Sum64(), 16)
}
