package tcpserver

import (
	"runtime/debug"
	"syscall"
)

// quiet knows when no connection has come for a while.
type quiet struct {
	came    uint64 // connections so far
	waiting bool   // a goroutine waits for a quiet time
}

// arrive counts a connection, and reports whether nobody waits for a quiet
// time yet: then the caller sees to it that somebody does.
func (q *quiet) arrive() (first bool) {
	q.came++
	first = !q.waiting
	q.waiting = true
	return first
}

// settled reports whether no connection has come since there had been came
// of them, and how many there have been by now.
func (t *table) settled(came uint64) (now uint64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	ok = came == t.came
	t.waiting = !ok
	return t.came, ok
}

// settle waits until no connection has come for a second and gives back the
// memory that serving took, as forgetStart does what the start took.
func (t *table) settle() {
	const nobody = ^uint64(0)
	for came, ok := t.settled(nobody); !ok; came, ok = t.settled(came) {
		syscall.Nanosleep(&syscall.Timespec{Sec: 1}, nil) // see pause
	}
	debug.FreeOSMemory()
	forgetStart()
}
