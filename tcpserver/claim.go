package tcpserver

import (
	"iter"
	"strconv"
	"syscall"

	"ucspi-go/rules"
)

// limiting is the part of the table that bounds connections by their rules.
type limiting struct {
	counts counts
	rates  rates
}

// claim counts a connection that is to have a program, unless one of the
// limits of its rule is used up: then it returns that, and what was refused
// uses up nothing.
func (t *table) claim(client block, limits []limit) (over *limit) {
	if len(limits) > 0 {
		t.counts.keep(client.bits, t.clients())
	}
	for i := range limits {
		l := &limits[i]
		if l.rate != (rate{}) {
			if !t.rates.allows(l.block, l.rate) {
				return l
			}
			continue
		}
		t.counts.keep(l.block.bits, t.clients())
		if uint64(t.counts.n[l.block]) >= l.most {
			return l
		}
	}
	for _, l := range limits {
		if l.rate != (rate{}) {
			t.rates.use(l.block, l.rate)
		}
	}
	t.counts.add(client, 1)
	return nil
}

// clients yields the addresses of the connections that have a program or are
// getting one.
func (t *table) clients() iter.Seq[block] {
	return func(yield func(block) bool) {
		for _, c := range t.children {
			if c.owner == connection && !yield(c.client) {
				return
			}
		}
		for _, client := range t.starting {
			if !yield(client) {
				return
			}
		}
	}
}

// countedEnviron returns the environment of a program whose rule has limits.
// As all variables of a connection, the rule may set them otherwise.
func (a Admission) countedEnviron(here int) rules.Environ {
	n := strconv.Itoa(here)
	return a.Decision.Apply(a.Environ.With(rules.Var{Name: connNum, Value: n}, rules.Var{Name: concurrency, Value: n}))
}

// refuse ends a connection that is over a limit.
func (s *Server) refuse(fd int, c Conn, a Admission, over *limit) {
	n := s.table.number()
	s.tell("deny", n, c, a, &over.Var)
	s.table.remember(func(a *account) { a.refused.add(over.Name) })
	s.table.ended(n, 100)
	if text := message(a.Decision.Env); text != "" {
		sayLast(fd, text)
	}
}

// sayLast says something to a client that is not served. A new socket takes a
// text like this; nothing waits for the client. What the client has sent is
// read, or the kernel would reset the connection and the text be lost.
func sayLast(fd int, text string) {
	syscall.SendmsgN(fd, []byte(text), nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
	syscall.Shutdown(fd, syscall.SHUT_WR)
	const enough = 16 // of 4 KiB each
	var b [4096]byte
	for range enough {
		if n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_DONTWAIT); n <= 0 || err != nil {
			return
		}
	}
}
