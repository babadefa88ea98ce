package rulesdiff

import (
	"cmp"
	"slices"

	"ucspi-go/rules"
)

// kinds are what decides about the name of a client, before and after.
type kinds struct{ old, new rules.Kind }

// An area is the addresses where a rule for a name decides on one side at
// least, and where what the address gets on the other is the same.
type area struct {
	old, new   *effect // of the address; nil where the name decides
	everywhere bool
	all        []interval
}

// grid returns the areas for names of those kinds, in the order of their first
// addresses. Only effects of addresses that can matter tell them apart, so
// that they are few.
func (d *diff) grid(k kinds) []area {
	if out, done := d.grids[k]; done {
		return out
	}
	type key struct {
		old, new   *effect
		everywhere bool
	}
	found := make(map[key][]interval)
	for _, c := range d.cells {
		var g key
		if c.old.kind < k.old {
			g.old = c.old.effect
		}
		if c.new.kind < k.new {
			g.new = c.new.effect
		}
		switch {
		case g.old != nil && g.new != nil:
			continue
		case g.new != nil && c.old.effect != c.new.effect && c.new.kind != rules.Everybody:
			continue // told of the address, whose rule now decides whatever the name is
		}
		g.everywhere = g.old == nil && g.new == nil || c.region() == nowhere
		found[g] = append(found[g], c.interval)
	}
	out := make([]area, 0, len(found))
	for g, all := range found {
		out = append(out, area{g.old, g.new, g.everywhere, merge(all)})
	}
	slices.SortFunc(out, func(a, b area) int { return cmp.Compare(a.all[0].low, b.all[0].low) })
	d.grids[k] = out
	return out
}

// at returns the changes for a subject, wherever it decides on one side at
// least. Who they are about is left to the caller.
func (d *diff) at(s subject) (out []change) {
	type group struct{ before, after *effect }
	index := make(map[group]int)
	for _, a := range d.grid(kinds{s.old.kind, s.new.kind}) {
		g := group{a.old, a.new}
		if g.before == nil {
			g.before = s.old.effect
		}
		if g.after == nil {
			g.after = s.new.effect
		}
		if g.before == g.after {
			continue
		}
		g.before = told(g.before, g.after)
		n, found := index[g]
		if !found {
			if n = len(out); n == mostOf {
				out[n-1].more = true
				break
			}
			index[g] = n
			out = append(out, change{before: g.before, after: g.after})
		}
		out[n].areas = append(out[n].areas, a.all)
		out[n].everywhere = out[n].everywhere || a.everywhere
	}
	return out
}
