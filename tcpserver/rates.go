package tcpserver

import (
	"hash/maphash"
	"time"
)

const (
	rateSets = 1 << 13
	rateWays = 8 // slots of a set; a block is always in the same one
)

// rates knows how much of its rate each block has used up, in a table of
// 65,536 slots (2 MiB) that is made when a rule first wants it and never
// grows. Of a block it knows one time, due: the rate is not used up by more
// than what is left of it until then. When that is past, nothing needs to be
// known, and the slot is free.
//
// Who comes when all slots of his set are taken gets the one with the least
// used up: however many strangers come, those who press hardest stay known.
type rates struct {
	sets *[rateSets][rateWays]rateSlot
	seed maphash.Seed
	now  func() time.Duration // since any time, and never back
}

type rateSlot struct {
	block block
	due   time.Duration
}

func newRates() rates {
	start := time.Now()
	return rates{now: func() time.Duration { return time.Since(start) }}
}

// allows reports whether a block may have one connection more at this rate.
func (r *rates) allows(b block, at rate) bool {
	now, due := r.now(), time.Duration(0)
	if s, known := r.find(b); known {
		due = s.due
	}
	return max(due-now, 0) <= at.burst-at.each
}

// use takes one connection from the rate of a block.
func (r *rates) use(b block, at rate) {
	now := r.now()
	s, known := r.find(b)
	if !known {
		*s = rateSlot{block: b}
	}
	s.due = max(s.due, now) + at.each
}

// find returns the slot of a block, or if it has none the one that it may have.
func (r *rates) find(b block) (s *rateSlot, known bool) {
	if r.sets == nil {
		r.sets, r.seed = new([rateSets][rateWays]rateSlot), maphash.MakeSeed()
	}
	set := &r.sets[maphash.Comparable(r.seed, b)%rateSets]
	least := &set[0]
	for i := range set {
		s := &set[i]
		if s.block == b {
			return s, true
		}
		if s.due < least.due {
			least = s
		}
	}
	return least, false
}
