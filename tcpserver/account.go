package tcpserver

import (
	"net/netip"
	"time"
)

// account is what a server remembers of its connections while somebody wants
// to see it; nil while nobody does. It is under the lock of its table.
type account struct {
	programs map[int]program // by pid
}

// program is a connection that has its program.
type program struct {
	remote netip.AddrPort
	since  time.Time
}

func newAccount() *account { return &account{programs: make(map[int]program)} }

func (a *account) begin(pid int, remote netip.AddrPort) {
	if a != nil {
		a.programs[pid] = program{remote, time.Now()}
	}
}

func (a *account) end(pid int) {
	if a != nil {
		delete(a.programs, pid)
	}
}
