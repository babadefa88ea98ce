//go:build linux && (amd64 || arm64)

//lint:file-ignore U1000 the kernel, or the assembly in vfork_*.s, uses the rest

package inherit

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A vfork is a process started by the kernel's vfork: it shares the memory of
// this one, whose thread waits until the program runs, so that the cost does
// not depend on the memory, and no pipe is needed to hear of a failure.
//
// The new process makes the calls, executes the program, and that is all: it
// is a loop in assembly that needs no stack, so that no Go code ever runs in
// it. Package syscall has no way to set memory limits there, and once the
// program runs is too late: it would see the limits that we raised.
type vfork struct {
	clone  cloneArgs
	every  uint64 // every signal: blocked in the thread during the start
	before uint64 // what the thread had blocked
	mask   uint64 // what the program has blocked

	call  *call
	calls int
	path  *byte
	argv  **byte
	env   **byte
	dir   *byte

	pid    int // or -errno
	failed int // errno in the new process, 0 for none
}

// call is a system call that must not fail.
type call struct{ number, a, b, c, d uintptr }

// cloneArgs is the kernel's struct clone_args.
type cloneArgs struct {
	flags, pidfd, childTID, parentTID, exitSignal   uint64
	stack, stackSize, tls, setTID, setTIDSize, cgrp uint64
}

const (
	clone3 = 435
	// Handlers cannot run in the new process: back to the default.
	cloneClearSighand = 1 << 32

	failedCode = 127 // exit code of a process that could not execute
)

// run starts the process and waits until it runs its program or has failed.
// As it is in assembly, v and all that it points to are on the heap.
func run(v *vfork)

var noClone3 atomic.Bool

// startVfork is Start. It reports false when the kernel cannot do it.
func startVfork(p *Program) (pid int, err error, ok bool) {
	if noClone3.Load() {
		return 0, nil, false
	}
	v, err := newVfork(p)
	if err != nil {
		return 0, err, true
	}
	moved, err := outOfTheWay(p.Files)
	if err != nil {
		return 0, err, true
	}
	calls := v.preparations(moved)
	v.call, v.calls = &calls[0], len(calls)
	run(v)
	for i, fd := range moved {
		if fd != p.Files[i] {
			syscall.Close(fd)
		}
	}
	switch e := syscall.Errno(-v.pid); {
	case v.pid > 0 && v.failed == 0:
		return v.pid, nil, true
	case v.pid > 0:
		reap(v.pid)
		return 0, syscall.Errno(v.failed), true
	// A kernel before 5.5, or a filter of system calls.
	case e == syscall.ENOSYS || e == syscall.EINVAL || e == syscall.EPERM:
		noClone3.Store(true)
		return 0, nil, false
	default:
		return 0, e, true
	}
}

func newVfork(p *Program) (*vfork, error) {
	path, err := syscall.BytePtrFromString(p.File)
	if err != nil {
		return nil, err
	}
	argv, err := syscall.SlicePtrFromStrings(p.Args)
	if err != nil {
		return nil, err
	}
	env, err := syscall.SlicePtrFromStrings(p.Environ)
	if err != nil {
		return nil, err
	}
	v := &vfork{
		clone: cloneArgs{flags: syscall.CLONE_VM | syscall.CLONE_VFORK | cloneClearSighand, exitSignal: uint64(syscall.SIGCHLD)},
		every: ^uint64(0),
		mask:  state.blocked &^ (1 << (syscall.SIGCHLD - 1)),
		path:  path,
		argv:  &argv[0],
		env:   &env[0],
	}
	if p.Dir != "" {
		v.dir, err = syscall.BytePtrFromString(p.Dir)
	}
	return v, err
}

// outOfTheWay returns the files with numbers that no other of them will have
// in the program.
func outOfTheWay(fds []int) ([]int, error) {
	moved := append([]int(nil), fds...)
	for i, fd := range fds {
		if fd == None || fd == i || fd >= len(fds) {
			continue
		}
		n, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, uintptr(len(fds)))
		if errno != 0 {
			for j, fd := range moved[:i] {
				if fd != fds[j] {
					syscall.Close(fd)
				}
			}
			return nil, errno
		}
		moved[i] = int(n)
	}
	return moved, nil
}

// preparations returns what the new process does before it is the program.
func (v *vfork) preparations(fds []int) []call {
	calls := make([]call, 0, len(fds)+5)
	for i, fd := range fds {
		n := uintptr(i)
		switch {
		case fd == None && inherits(i):
			calls = append(calls, call{syscall.SYS_CLOSE, n, 0, 0, 0})
		case fd == None:
		case fd == i:
			calls = append(calls, call{syscall.SYS_FCNTL, n, syscall.F_SETFD, 0, 0})
		default:
			calls = append(calls, call{syscall.SYS_DUP3, uintptr(fd), n, 0, 0})
		}
	}
	if v.dir != nil {
		calls = append(calls, call{syscall.SYS_CHDIR, uintptr(unsafe.Pointer(v.dir)), 0, 0, 0})
	}
	for _, l := range append(raised(memory...), raised(files)...) {
		calls = append(calls, call{syscall.SYS_PRLIMIT64, 0, uintptr(l.resource), uintptr(unsafe.Pointer(l.origin)), 0})
	}
	for _, sig := range lost() {
		calls = append(calls, call{syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&ignoring)), 0, maskSize})
	}
	return append(calls, call{syscall.SYS_RT_SIGPROCMASK, setmask, uintptr(unsafe.Pointer(&v.mask)), 0, maskSize})
}

// reap waits for a process that has failed. Somebody else who waits for any
// process may have been faster.
func reap(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); err != syscall.EINTR {
			return
		}
	}
}
