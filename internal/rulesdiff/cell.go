package rulesdiff

import (
	"cmp"
	"slices"

	"ucspi-go/rules"
)

// A state is what one side says of clients by one of their facts, the address
// or the name: the kind of the key that is found, and what it does. Of the two
// states of a client that of the smaller kind decides, as kinds are in the
// order of the search.
type state struct {
	kind   rules.Kind
	effect *effect
	piece  int // which piece of the side has the address, -1 for none
}

// An interval is addresses from low to high.
type interval struct{ low, high uint32 }

// A cell is addresses of which both sides say one thing each.
type cell struct {
	interval
	old, new state
}

// cells cuts all addresses into cells, in order.
func cells(before, after *side) []cell {
	starts := []uint64{0}
	for _, s := range []*side{before, after} {
		for _, pieces := range s.addresses {
			slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.low, b.low) })
			for _, p := range pieces {
				starts = append(starts, uint64(p.low), uint64(p.high)+1)
			}
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(append(starts, 1<<32))
	out := make([]cell, 0, len(starts))
	olds, news := walker{side: before}, walker{side: after}
	for i, start := range starts {
		if start == 1<<32 {
			break
		}
		low := uint32(start)
		out = append(out, cell{interval{low, uint32(starts[i+1] - 1)}, olds.at(low), news.at(low)})
	}
	return out
}

// A walker finds the state of one address after the other, in order.
type walker struct {
	*side
	next [levels]int // the first piece that does not end before the address
}

func (w *walker) at(address uint32) state {
	found := state{rules.Everybody, w.everybody, -1}
	before := 0
	for level, pieces := range w.addresses {
		n := &w.next[level]
		for *n < len(pieces) && pieces[*n].high < address {
			*n++
		}
		if *n < len(pieces) && pieces[*n].low <= address {
			found = state{kindOf(level), pieces[*n].effect, before + *n}
		}
		before += len(pieces)
	}
	return found
}

// kindOf returns the kind of the keys of a level.
func kindOf(level int) rules.Kind {
	switch {
	case level < prefixes:
		return rules.AddressBlock
	case level == levels-1:
		return rules.Address
	}
	return rules.AddressPrefix
}

// merge joins intervals that follow each other without a gap. They must be in
// order.
func merge(all []interval) (out []interval) {
	for _, i := range all {
		if n := len(out); n > 0 && uint64(out[n-1].high)+1 == uint64(i.low) {
			out[n-1].high = i.high
		} else {
			out = append(out, i)
		}
	}
	return out
}
