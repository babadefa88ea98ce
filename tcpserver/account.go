package tcpserver

import (
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

// account is what a server remembers of its connections while somebody wants
// to see it; nil while nobody does. It is under the lock of its table.
type account struct {
	programs map[int]program // by pid

	accepted uint64
	denied   tally // by the key of the rule
	refused  tally // by the limit that was reached
	dropped  tally // by what could not be done
	exits    tally // by exit code
	killed   tally // by signal
}

// program is a connection that has its program.
type program struct {
	remote netip.AddrPort
	since  time.Time
}

func newAccount() *account {
	return &account{
		programs: make(map[int]program),
		denied:   make(tally), refused: make(tally), dropped: make(tally), exits: make(tally), killed: make(tally),
	}
}

// remember has the account, where there is one, changed under the lock.
func (t *table) remember(change func(a *account)) {
	if t.account == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	change(t.account)
}

func (a *account) accept() {
	if a != nil {
		a.accepted++
	}
}

func (a *account) begin(pid int, remote netip.AddrPort) {
	if a != nil {
		a.programs[pid] = program{remote, time.Now()}
	}
}

func (a *account) end(pid int, ws syscall.WaitStatus) {
	if a == nil {
		return
	}
	delete(a.programs, pid)
	if ws.Signaled() {
		a.killed.add(strconv.Itoa(int(ws.Signal())))
	} else {
		a.exits.add(strconv.Itoa(ws.ExitStatus()))
	}
}
