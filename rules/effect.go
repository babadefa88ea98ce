package rules

import (
	"cmp"
	"slices"
)

// Settings returns what the decision sets in the end: each name once, with
// the value that wins, sorted by name. For a denied client that is nothing.
// Two decisions with the same Deny and the same settings have the same effect.
func (d Decision) Settings() []Var {
	if d.Deny {
		return nil
	}
	return final(d.Env)
}

// Settings is Decision.Settings for the clients that the rule decides about.
func (r Rule) Settings() []Var { return r.Decision("").Settings() }

// Decision returns the decision for the clients that the rule's record under
// that key decides about.
func (r Rule) Decision(key string) Decision {
	d := Decision{Key: key, Found: true}
	d.decide(string(r.appendData(nil)))
	return d
}

func final(env []Var) []Var {
	out := slices.Clone(env)
	slices.Reverse(out)
	slices.SortStableFunc(out, func(a, b Var) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b Var) bool { return a.Name == b.Name })
}
