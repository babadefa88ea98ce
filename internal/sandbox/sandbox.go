// Package sandbox takes away from this process, for good, what it has no use
// for: Linux's Landlock, on request of $SANDBOX. What a program gives up its
// children never get back, so it is for those that start nothing afterwards.
package sandbox

import (
	"errors"
	"io/fs"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Variable is the environment variable that asks for a sandbox by being set.
const Variable = "SANDBOX"

// Signal is what the Go runtime runs a system call on every thread by, and so
// must keep for Restrict.
const Signal = syscall.Signal(33)

// ErrMissing is the error of a kernel without Landlock, or with it switched
// off, and of a program that was built with cgo.
var ErrMissing = errors.New("this kernel has no Landlock")

// Rules are what is left to a process besides the descriptors that it has.
// Names that do not exist are passed over. Executing a file, and all that is
// not named, is forbidden.
type Rules struct {
	Read    []string // files, or folders with all below them, to be read
	Write   []string // folders below which files and folders are made, and files read, written and removed
	Connect []uint16 // TCP ports to connect to; none can be listened on
}

// Rights by the version of Landlock that has them: what the kernel does not
// know must not be asked for.
const (
	readFolder = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeBelow = readFolder | unix.LANDLOCK_ACCESS_FS_WRITE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
	files1 = unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1 // what the first has
	files2 = unix.LANDLOCK_ACCESS_FS_REFER
	files3 = unix.LANDLOCK_ACCESS_FS_TRUNCATE
	files5 = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	net4   = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	scope6 = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL

	portRule = 2 // LANDLOCK_RULE_NET_PORT
)

// Restrict leaves r to every thread of this process. The error is ErrMissing,
// or names the file for which no rule could be made; nothing is then taken
// away. Ports need Linux 6.7, and signals and abstract sockets 6.12: an older
// kernel restricts what it can.
func Restrict(r Rules) error {
	version := version()
	if version == 0 {
		return ErrMissing
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: files1}
	size := unsafe.Sizeof(attr.Handled_access_fs)
	if version >= 2 {
		attr.Handled_access_fs |= files2
	}
	if version >= 3 {
		attr.Handled_access_fs |= files3
	}
	if version >= 4 {
		attr.Handled_access_net = net4
		size = unsafe.Offsetof(attr.Scoped)
	}
	if version >= 5 {
		attr.Handled_access_fs |= files5
	}
	if version >= 6 {
		attr.Scoped = scope6
		size = unsafe.Offsetof(attr.Quiet_access_fs)
	}
	ruleset, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), size, 0)
	if errno != 0 {
		return errno
	}
	defer syscall.Close(int(ruleset))
	for _, name := range r.Read {
		if err := allow(ruleset, name, readFolder); err != nil {
			return err
		}
	}
	for _, name := range r.Write {
		if err := allow(ruleset, name, writeBelow|files3&attr.Handled_access_fs); err != nil {
			return err
		}
	}
	if version >= 4 {
		for _, port := range r.Connect {
			if err := allowPort(ruleset, port); err != nil {
				return err
			}
		}
	}
	return enter(ruleset)
}

// Available reports whether the kernel has Landlock.
func Available() bool { return version() > 0 }

// version returns that of the kernel's Landlock, 0 where there is none.
func version() int {
	v, _, errno := syscall.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(v)
}

// allow makes the rule for a file or a folder.
func allow(ruleset uintptr, name string, access uint64) error {
	fd, err := syscall.Open(name, unix.O_PATH|syscall.O_CLOEXEC, 0)
	if err == syscall.ENOENT || err == syscall.ENOTDIR {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	if st.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		access &= unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(fd)}
	_, _, errno := syscall.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return &fs.PathError{Op: "allow", Path: name, Err: errno}
	}
	return nil
}

func allowPort(ruleset uintptr, port uint16) error {
	rule := struct{ access, port uint64 }{unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, uint64(port)}
	_, _, errno := syscall.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, ruleset, portRule, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// enter puts every thread under the rules; those to come begin as their
// makers are. Without the first step the kernel asks for privileges.
func enter(ruleset uintptr) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, call := range [][3]uintptr{
		{syscall.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1},
		{unix.SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0},
	} {
		_, _, errno := syscall.AllThreadsSyscall(call[0], call[1], call[2], 0)
		if errno == syscall.ENOTSUP {
			return ErrMissing
		}
		if errno != 0 {
			return errno
		}
	}
	return nil
}
