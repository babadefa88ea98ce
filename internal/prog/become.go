package prog

import "syscall"

// Become changes group and user of the process, where not 0, for good. The
// supplementary groups go with the group. The error is that of a program. As
// ucspi-tcp 0.88 tcpserver.c.
func Become(uid, gid uint64) error {
	if gid != 0 {
		err := syscall.Setgroups([]int{int(uint32(gid))})
		if err == nil {
			err = syscall.Setgid(int(uint32(gid)))
		}
		if err != nil {
			return Fatal(111, "unable to set gid", err)
		}
	}
	if uid != 0 {
		if err := syscall.Setuid(int(uint32(uid))); err != nil {
			return Fatal(111, "unable to set uid", err)
		}
	}
	return nil
}
