package tcpserver

import (
	"sync"
	"syscall"
)

// pidLimit is above every pid that a Linux kernel gives out. Connections that
// never had a process are numbered from here.
const pidLimit = 1 << 22

// table counts connections and knows the processes to reap. All is in one
// lock, under which the status lines are written too: that is what keeps
// their numbers in order.
type table struct {
	log   *log
	limit uint64 // of connections at the same time
	held  uint64 // limit of connections that the server itself holds open

	mu        sync.Mutex
	change    sync.Cond
	closing   bool   // no more accepts
	paused    bool   // no accepts for now
	mute      bool   // no more status
	accepting uint64 // accept calls under way: each holds a place
	open      uint64 // connections that the server holds
	running   uint64 // connections that are not ended: the N of the status line
	unborn    int    // numbers given instead of a pid

	quiet
	reaping
	limiting
	account *account
}

func newTable(l *log, limit, held uint64) *table {
	t := &table{log: l, limit: limit, held: held, reaping: newReaping(), limiting: limiting{rates: newRates()}}
	t.change.L = &t.mu
	return t
}

// reserve waits for a place and a descriptor to accept a connection with. It
// reports false when no more connections are wanted.
func (t *table) reserve() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.closing && (t.paused || t.running+t.accepting >= t.limit || t.open+t.accepting >= t.held) {
		t.change.Wait()
	}
	if !t.closing {
		t.accepting++
	}
	return !t.closing
}

// mayAccept reports whether who has made a reservation may still accept.
func (t *table) mayAccept() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.closing && !t.paused && t.running+t.accepting <= t.limit
}

// update changes the table under its lock and tells who waits for a change.
func (t *table) update(change func()) {
	t.mu.Lock()
	change()
	t.mu.Unlock()
	t.change.Broadcast()
}

// unreserve gives a place back: nothing was accepted.
func (t *table) unreserve() { t.update(func() { t.accepting-- }) }

// accepted makes a place a connection. First is that of arrive.
func (t *table) accepted() (first bool) {
	t.update(func() {
		t.accepting--
		t.open++
		t.running++
		t.account.accept()
		first = t.arrive()
		t.status()
	})
	return first
}

// closed says that the server no longer holds a connection.
func (t *table) closed() { t.update(func() { t.open-- }) }

// number returns a number for a connection that gets no process.
func (t *table) number() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unborn++
	return pidLimit + t.unborn
}

// ended says that a connection without a process ended with an exit code.
func (t *table) ended(number, code int) {
	t.update(func() {
		t.running--
		t.end(number, syscall.WaitStatus(code<<8))
	})
}

// dropped says that a connection ended without anything to say about it.
func (t *table) dropped() {
	t.update(func() {
		t.running--
		t.status()
	})
}

func (t *table) end(pid int, ws syscall.WaitStatus) {
	if !t.mute {
		t.log.end(pid, ws)
	}
	t.status()
}

// status writes the status line, none after the end of accepting: the C
// program is then gone.
func (t *table) status() {
	if !t.mute {
		t.log.status(t.running, t.limit)
	}
}

// close ends accepting, calls stop to wake those who accept, left when none of
// them is left, and waits until the connections that are being decided about
// are handed over.
func (t *table) close(mute bool, stop, left func()) {
	t.update(func() { t.closing, t.mute = true, mute })
	stop()
	t.wait(func() bool { return t.accepting == 0 })
	left()
	t.wait(func() bool { return t.open == 0 })
}

// wait waits until done, which is asked under the lock.
func (t *table) wait(done func() bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !done() {
		t.change.Wait()
	}
}
