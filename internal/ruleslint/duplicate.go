package ruleslint

import (
	"slices"
	"strconv"

	"ucspi-go/rules"
)

// earlier are the rules so far.
type earlier struct {
	rules  []rules.Rule
	owners rules.Owners // by index in rules
}

// duplicates looks for earlier rules with keys of this one: of several with
// one key the first counts.
func (l *linter) duplicates(rule rules.Rule) {
	e := &l.earlier
	total, lost, other, key := 0, 0, -1, ""
	same := true // what the earlier rules do
	for _, part := range rule.Parts() {
		e.owners.Add(part, len(e.rules), func(p rules.Part, owner int) {
			n := p.Top - p.Low + 1
			total += n
			if owner == len(e.rules) {
				return
			}
			lost += n
			if other < 0 || same && !sameEffect(e.rules[owner], rule) {
				other, key = owner, p.Key(p.Low)
				same = sameEffect(e.rules[owner], rule)
			}
		})
	}
	e.rules = append(e.rules, rule)
	if lost == 0 {
		return
	}
	line := "line " + strconv.Itoa(e.rules[other].Line)
	switch {
	case same && lost == total:
		l.find(kindRepeated, line+" says the same already; remove this one")
	case lost == total:
		l.find(kindShadowed, "the rule is never used: the first rule for an address counts, and "+line+" has it; remove one of the two")
	case !same:
		l.find(kindOverlap, line+" decides about "+show(key)+" already, and the first rule for an address counts; write ranges that do not overlap")
	}
}

func sameEffect(a, b rules.Rule) bool {
	return a.Deny == b.Deny && slices.Equal(a.Settings(), b.Settings())
}
