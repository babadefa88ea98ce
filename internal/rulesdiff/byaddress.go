package rulesdiff

// scattered is into how many stretches the addresses of one rule may be cut by
// longer rules before they are told as that rule's, rather than one by one.
const scattered = 4

// A region is the cells about which the same rule of each side decides.
type region struct{ old, new int }

var nowhere = region{-1, -1} // no rule names the address

// byAddress finds the changes for clients of which no more than the address is
// known: one for each stretch of addresses, or for what is left of a rule.
func (d *diff) byAddress() {
	regions := make(map[region][]interval)
	for _, c := range d.cells {
		if r := c.region(); c.old.effect != c.new.effect {
			regions[r] = append(regions[r], c.interval)
		}
	}
	for i, c := range d.cells {
		if c.old.effect == c.new.effect {
			continue
		}
		r := c.region()
		all := regions[r]
		if r != nowhere && len(all) <= scattered {
			if i > 0 && d.continues(d.cells[i-1], c, regions) {
				stretch := d.changes[len(d.changes)-1].areas[0]
				stretch[0].high = c.high
			} else {
				d.changes = append(d.changes, change{before: told(c.old.effect, c.new.effect), after: c.new.effect, areas: [][]interval{{c.interval}}})
			}
		} else if all[0] == c.interval {
			one := change{before: told(c.old.effect, c.new.effect), after: c.new.effect, areas: [][]interval{all}, order: byEverybody}
			if r != nowhere {
				one.order, one.rest = byAddress, notation(d.base(c))
			}
			d.changes = append(d.changes, one)
		}
	}
}

func (c cell) region() region { return region{c.old.piece, c.new.piece} }

// continues reports whether a cell and the one before it are one stretch.
func (d *diff) continues(last, c cell, regions map[region][]interval) bool {
	r := last.region()
	return last.old.effect != last.new.effect && last.new.effect == c.new.effect &&
		told(last.old.effect, last.new.effect) == told(c.old.effect, c.new.effect) && r != nowhere && len(regions[r]) <= scattered
}

// base returns the addresses of the rule that decides about a cell: of the two
// sides' rules the longer one.
func (d *diff) base(c cell) interval {
	best := interval{0, 1<<32 - 1}
	for _, p := range []*piece{d.before.piece(c.old.piece), d.after.piece(c.new.piece)} {
		if p != nil && p.high-p.low < best.high-best.low {
			best = interval{p.low, p.high}
		}
	}
	return best
}

// piece returns the piece with that number, nil for -1.
func (s *side) piece(n int) *piece {
	if n < 0 {
		return nil
	}
	for _, pieces := range s.addresses {
		if n < len(pieces) {
			return &pieces[n]
		}
		n -= len(pieces)
	}
	return nil
}
