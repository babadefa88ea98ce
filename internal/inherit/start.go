//go:build linux && (amd64 || arm64)

//lint:file-ignore U1000 the assembly in start_*.s uses all of it

package inherit

import "syscall"

// What the entry point, in start_*.s, uses.
const (
	getfd       = syscall.F_GETFD
	limitAS     = syscall.RLIMIT_AS
	limitData   = syscall.RLIMIT_DATA
	limitFiles  = syscall.RLIMIT_NOFILE
	stderr      = 2
	refusalCode = 111

	// What a Go program needs to start, with some room. Go 1.26 reserves 720
	// MB of addresses and has 42 MB of data, most of which it never touches.
	needAS   = 800_000_000
	needData = 50_000_000
)

// refusal is said after the program's name when even the maximum of a limit
// is less than what is needed. The runtime would print a trace.
var refusal = ": fatal: unable to start: the hard memory limit is too low: allow 800000000 bytes of address space and 50000000 of data\n"
