package tcpserver

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"ucspi-go/rules"
)

// lookupBounds are upper bounds of classes of lookup times. What takes longer
// than the last is in a class of its own.
var lookupBounds = [...]time.Duration{time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 10 * time.Second}

// histogram counts lookups by how long they took.
type histogram struct {
	classes [len(lookupBounds) + 1]uint64
	sum     time.Duration
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(lookupBounds) && d > lookupBounds[i] {
		i++
	}
	h.classes[i]++
	h.sum += d
}

// lookups measures what a server asks.
type lookups struct {
	mu                           sync.Mutex
	ptr, a, aaaa, ident, ruleset histogram
}

// since adds a lookup. It is called when the lookup is over, with its
// beginning as an argument that was evaluated then.
func (l *lookups) since(h *histogram, began time.Time) {
	d := time.Since(began)
	l.mu.Lock()
	h.add(d)
	l.mu.Unlock()
}

// measure puts the lookups of s between it and what it asks.
func (s *Server) measure() *lookups {
	l := new(lookups)
	s.Names = timedNames{s.Names, l}
	info, ask := s.Info, s.Rules
	s.Info = func(ctx context.Context, local, remote netip.AddrPort) (string, error) {
		defer l.since(&l.ident, time.Now())
		return info(ctx, local, remote)
	}
	if ask != nil {
		s.Rules = func(c rules.Client) (rules.Decision, error) {
			defer l.since(&l.ruleset, time.Now())
			return ask(c)
		}
	}
	return l
}

type timedNames struct {
	Names
	*lookups
}

func (n timedNames) LookupPTR(ctx context.Context, a netip.Addr) (string, error) {
	defer n.since(&n.ptr, time.Now())
	return n.Names.LookupPTR(ctx, a)
}

func (n timedNames) LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	defer n.since(&n.aaaa, time.Now())
	return n.Names.LookupAAAA(ctx, name)
}

func (n timedNames) LookupA(ctx context.Context, name string) ([]netip.Addr, error) {
	defer n.since(&n.a, time.Now())
	return n.Names.LookupA(ctx, name)
}
