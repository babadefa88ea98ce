package rulesdiff

import (
	"slices"
	"strings"

	"ucspi-go/rules"
)

// byInfo finds the changes for clients about whom a rule for their remote info
// decides.
func (d *diff) byInfo(subjects map[subject][]string) {
	keys := make(map[infoKey]bool)
	at := make(map[string][]infoKey) // by remote info, those with an address
	for _, s := range []*side{d.before, d.after} {
		for k := range s.infos {
			if !keys[k] && k.at[0] != '=' {
				at[k.info] = append(at[k.info], k)
			}
			keys[k] = true
		}
	}
	if len(keys) == 0 {
		return
	}
	d.before.groupNames(subjects, func(s subject) state { return s.old })
	d.after.groupNames(subjects, func(s subject) state { return s.new })
	for k := range keys {
		if name, ok := strings.CutPrefix(k.at, "="); ok {
			d.infoAtName(k, name, at[k.info])
		} else {
			d.infoAtAddress(k)
		}
	}
}

// info returns what a side says of remote info, or what it says otherwise.
func (s *side) info(k infoKey, kind rules.Kind, otherwise state) state {
	if e := s.infos[k]; e != nil {
		return state{kind: kind, effect: e}
	}
	return otherwise
}

func (d *diff) infoAtName(k infoKey, name string, at []infoKey) {
	s := subject{
		d.before.info(k, rules.InfoAtName, d.before.name(name)),
		d.after.info(k, rules.InfoAtName, d.after.name(name)),
	}
	for _, c := range d.at(s) {
		// A rule for the remote info and the address is found first.
		c.areas = slices.DeleteFunc(c.areas, func(all []interval) bool { return covered(all, at) })
		if len(c.areas) > 0 {
			c.info, c.names, c.order = &k.info, []string{k.at}, byInfoAtName
			d.changes = append(d.changes, c)
		}
	}
}

// covered reports whether the keys have all those addresses.
func covered(all []interval, keys []infoKey) bool {
	size := uint64(0)
	for _, i := range all {
		if size += uint64(i.high-i.low) + 1; size > uint64(len(keys)) {
			return false
		}
	}
	for _, k := range keys {
		a, _ := address(k.at)
		if _, found := slices.BinarySearchFunc(all, a, compareInterval); found {
			size--
		}
	}
	return size == 0
}

func compareInterval(i interval, a uint32) int {
	switch {
	case i.high < a:
		return -1
	case i.low > a:
		return 1
	}
	return 0
}

// infoAtAddress finds the changes for remote info at one address. Where a side
// has no rule for that, what it does may depend on the name.
func (d *diff) infoAtAddress(k infoKey) {
	a, _ := address(k.at)
	n, _ := slices.BinarySearchFunc(d.cells, a, func(c cell, a uint32) int { return compareInterval(c.interval, a) })
	c := d.cells[n]
	old := d.before.info(k, rules.InfoAtAddress, c.old)
	now := d.after.info(k, rules.InfoAtAddress, c.new)
	count := 0
	var main change // that of the address alone, which need not be told again
	find := func(before, after *effect, names []string) (enough bool) {
		if before == after || main.after == after && main.before == told(before, after) {
			return false
		}
		if count++; count > mostOf {
			d.changes[len(d.changes)-1].more = true
			return true
		}
		d.changes = append(d.changes, change{before: told(before, after), after: after, info: &k.info, names: names,
			areas: [][]interval{{{a, a}}}, order: byInfoAtAddress})
		return false
	}
	if find(old.effect, now.effect, nil); count > 0 {
		main = d.changes[len(d.changes)-1]
	}
	switch {
	case now.kind != rules.InfoAtAddress:
		d.after.named(k.info, c.new, func(e *effect, names []string) bool { return find(old.effect, e, names) })
	case old.kind != rules.InfoAtAddress:
		d.before.named(k.info, c.old, func(e *effect, names []string) bool { return find(e, now.effect, names) })
	}
}
