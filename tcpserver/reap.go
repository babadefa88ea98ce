package tcpserver

import (
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// reaping is the part of the table that knows processes. A process may end,
// and be reaped, before the start of it has returned its pid: its status is
// then kept until the start claims it. A status that nobody claims is that of
// a process which could not exec.
type reaping struct {
	children map[int]child
	starting map[int]block // starts under way, by number, and their clients
	starts   int           // starts so far
	early    map[int]earlyEnd
	reaper   bool // a goroutine is in reap
	handover bool // the program that follows must know all children
}

// earlyEnd is the end of a process that nobody has claimed yet. A start that
// is later than starts cannot: its process has the same pid by chance.
type earlyEnd struct {
	status syscall.WaitStatus
	starts int
}

// child says what a process is counted as.
type child struct {
	owner
	client block // of a connection
}

type owner int

const (
	connection owner = iota
	inherited        // started by what this process was before it became tcpserver
)

func newReaping() reaping {
	return reaping{children: make(map[int]child), starting: make(map[int]block), early: make(map[int]earlyEnd)}
}

// start must be called before a process is started, and started, with the
// number that it returns, or startFailed after: unless a limit is used up, and
// over is that. Here is the number of connections from the client's address,
// this one among them, if there are limits.
func (t *table) start(client block, limits []limit) (number, here int, over *limit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if over = t.claim(client, limits); over != nil {
		return 0, 0, over
	}
	t.starts++
	t.starting[t.starts] = client
	return t.starts, t.counts.n[client], nil
}

// started says that pid is the process of a connection from remote. It may
// have ended.
func (t *table) started(number, pid int, remote netip.AddrPort) {
	t.update(func() {
		client := t.starting[number]
		if e, ended := t.early[pid]; ended && number <= e.starts {
			t.running--
			t.counts.add(client, -1)
			t.account.end(pid, e.status)
			t.end(pid, e.status)
		} else {
			t.account.begin(pid, remote)
			t.children[pid] = child{connection, client}
		}
		delete(t.early, pid)
		t.startOver(number)
	})
}

func (t *table) startFailed(number int) {
	t.mu.Lock()
	t.counts.add(t.starting[number], -1)
	t.startOver(number)
	t.mu.Unlock()
}

func (t *table) startOver(number int) {
	delete(t.starting, number)
	if len(t.starting) == 0 {
		clear(t.early) // pids are used again
	}
}

// inherit makes the children that this process has already known. They are
// reaped and told of but are nobody's connection. Unlike tcpserver 0.88,
// which takes each for one of its connections and then serves one too many.
func (t *table) inherit() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for word := range strings.FieldsSeq(knownChildren()) {
		if pid, err := strconv.Atoi(word); err == nil {
			t.children[pid] = child{owner: inherited}
		}
	}
}

// knownChildren returns the pids of the children of this process, whose first
// thread has them all. It is read without package os, which would set up the
// runtime's poller: a server that looks nothing up is faster without.
func knownChildren() string {
	pid := strconv.Itoa(os.Getpid())
	fd, err := syscall.Open("/proc/self/task/"+pid+"/children", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "" // a kernel without it: they are reaped silently
	}
	defer syscall.Close(fd)
	list := make([]byte, 64<<10)
	n, _ := syscall.Read(fd, list)
	return string(list[:max(n, 0)])
}

// reap waits for the processes to end, until there are none, unless another
// goroutine is doing it. So it must be called after each start: who has
// started a process then waits for it, while others accept, and in quiet times
// no thread has to wake another.
func (t *table) reap() {
	for first := true; t.mayReap(first); first = false {
		if t.handover {
			t.reapLocked()
			continue
		}
		var ws syscall.WaitStatus
		// WALL: an inherited child may not be one that sends SIGCHLD.
		if pid, err := syscall.Wait4(-1, &ws, syscall.WALL, nil); err == nil {
			t.update(func() { t.reaped(pid, ws) })
		}
	}
}

// reapLocked waits for one process, which ceases to be a child only under the
// lock: whoever has the lock knows all there are.
func (t *table) reapLocked() {
	if unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOWAIT|unix.WALL, nil) != nil {
		return
	}
	t.update(func() {
		var ws syscall.WaitStatus
		if pid, err := syscall.Wait4(-1, &ws, syscall.WALL|syscall.WNOHANG, nil); err == nil && pid > 0 {
			t.reaped(pid, ws)
		}
	})
}

// mayReap reports whether a goroutine that begins to wait, or goes on with it,
// has something to wait for.
func (t *table) mayReap(begins bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if begins && t.reaper {
		return false
	}
	t.reaper = len(t.children) > 0
	return t.reaper
}

func (t *table) reaped(pid int, ws syscall.WaitStatus) {
	c, known := t.children[pid]
	switch {
	case !known:
		if len(t.starting) > 0 {
			t.early[pid] = earlyEnd{ws, t.starts}
		}
		return
	case c.owner == connection:
		t.running--
		t.counts.add(c.client, -1)
		t.account.end(pid, ws)
	}
	delete(t.children, pid)
	t.end(pid, ws)
}
