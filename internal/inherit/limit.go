package inherit

import (
	"syscall"
	"unsafe"
)

// A limit is one that is raised at the start: to its maximum less margin.
type limit struct {
	resource int
	origin   *syscall.Rlimit
	margin   uint64
}

var (
	memory = []limit{{syscall.RLIMIT_AS, &state.as, 0}, {syscall.RLIMIT_DATA, &state.data, 0}} // by the entry point
	files  = limit{syscall.RLIMIT_NOFILE, &state.files, 1}                                     // by package syscall
)

// raised returns those of the limits that must be put back before a program
// runs. One that somebody has changed since the start, as prlimit(1) does, is
// left so: the programs of a server get it as they would from a C one.
func raised(limits ...limit) (changed []limit) {
	for _, l := range limits {
		var now syscall.Rlimit
		prlimit(0, l.resource, nil, &now)
		if now != *l.origin && now == l.raised() {
			changed = append(changed, l)
		}
	}
	return changed
}

// raised returns what the limit was raised to.
func (l limit) raised() syscall.Rlimit {
	return syscall.Rlimit{Cur: l.origin.Max - l.margin, Max: l.origin.Max}
}

// lower puts the memory limits of another process, which this one has
// started, back to what they were.
func lower(pid int) {
	for _, l := range raised(memory...) {
		prlimit(pid, l.resource, l.origin, nil)
	}
}

func prlimit(pid, resource int, l, old *syscall.Rlimit) {
	syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource), uintptr(unsafe.Pointer(l)), uintptr(unsafe.Pointer(old)), 0, 0)
}
