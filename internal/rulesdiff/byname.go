package rulesdiff

import (
	"slices"
	"strings"

	"ucspi-go/rules"
)

// A subject is what the two sides say of clients by their name, or by their
// remote info and name.
type subject struct{ old, new state }

// nameless is what a side says of a name that none of its rules names. Any
// rule for the address decides instead.
var nameless = state{kind: rules.NoClient}

// name returns what a side says of a name.
func (s *side) name(name string) state {
	if e := s.names[name]; e != nil {
		return state{kind: rules.Name, effect: e}
	}
	return s.suffix(name)
}

// suffix returns what a side says of names that end so, of which no longer rule
// speaks. A name without a dot in front is not one of its own ends.
func (s *side) suffix(name string) state {
	if len(s.suffixes) == 0 {
		return nameless
	}
	for end := name; ; {
		dot := strings.IndexByte(end, '.')
		if dot < 0 {
			break
		}
		if e := s.suffixes[end[dot:]]; e != nil {
			return state{kind: rules.NameSuffix, effect: e}
		}
		end = end[dot+1:]
	}
	if e := s.suffixes[""]; e != nil {
		return state{kind: rules.NameSuffix, effect: e}
	}
	return nameless
}

// subjects returns the keys for names, in order, by what the sides say of them.
func (d *diff) subjects() map[subject][]string {
	out := make(map[subject][]string)
	for _, s := range []*side{d.before, d.after} {
		for name := range s.names {
			if s == d.before || d.before.names[name] == nil {
				of := subject{d.before.name(name), d.after.name(name)}
				out[of] = append(out[of], "="+name)
			}
		}
		for end := range s.suffixes {
			if s == d.before || d.before.suffixes[end] == nil {
				of := subject{d.before.suffix(end), d.after.suffix(end)}
				out[of] = append(out[of], "="+end)
			}
		}
	}
	for _, keys := range out {
		slices.Sort(keys)
	}
	return out
}

// byName finds the changes for clients about whom a rule for their name
// decides.
func (d *diff) byName(subjects map[subject][]string) {
	for s, keys := range subjects {
		for _, c := range d.at(s) {
			c.order = byName
			for _, key := range keys {
				c.names = []string{key}
				d.changes = append(d.changes, c)
			}
		}
	}
}
