package rulesdiff

import (
	"cmp"
	"slices"
	"strings"
)

// A change is clients to whom something else is done than before.
type change struct {
	before, after *effect
	order         order
	info          *string      // remote info that they have, nil for any or none
	names         []string     // rules for their names, "=mail.example.com", "=.example.com", "="; nil for any or none; bySix: who they are
	areas         [][]interval // their addresses: lists in order
	rest          string       // the rule whose addresses these are, but for those that longer rules name; empty for none
	everywhere    bool         // where readers expect a rule for a name to hold, so that addresses need not be told
	more          bool         // the last of too many that differ in what is done
}

// mostOf is how many changes are told of one name, or of one remote info at one
// address, that differ in the addresses or names on which they depend too. All
// of them could be as many as there are pairs of rules.
const mostOf = 8

// order is what changes are about, in the order in which they are told.
type order int

const (
	byAddress order = iota
	bySix
	byEverybody
	byName
	byInfoAtName
	byInfoAtAddress
)

// first returns the lowest IPv4 address of a change.
func (c change) first() uint32 {
	if len(c.areas) == 0 {
		return 0
	}
	return c.areas[0][0].low
}

// A diff is a comparison as it goes on. The changes that it finds for clients
// of whom more is known speak of them where a rule for what is known decides,
// before or after: else the changes for clients of whom less is known hold. So
// do those for an address whose rule now decides instead of one for a name.
type diff struct {
	before, after *side
	cells         []cell
	grids         map[kinds][]area
	changes       []change
}

// compare returns the changes from one side to the other, the most important
// first.
func compare(before, after *side) []change {
	d := &diff{before: before, after: after, cells: cells(before, after), grids: make(map[kinds][]area)}
	d.byAddress()
	d.bySix()
	subjects := d.subjects()
	d.byName(subjects)
	d.byInfo(subjects)
	slices.SortFunc(d.changes, func(a, b change) int {
		return cmp.Or(
			cmp.Compare(classOf(a.before, a.after), classOf(b.before, b.after)),
			cmp.Compare(a.order, b.order),
			strings.Compare(infoOf(a), infoOf(b)),
			slices.Compare(a.names, b.names),
			cmp.Compare(a.first(), b.first()),
		)
	})
	return d.changes
}

func infoOf(c change) string {
	if c.info == nil {
		return ""
	}
	return *c.info
}
