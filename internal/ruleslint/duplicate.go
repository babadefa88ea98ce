package ruleslint

import (
	"slices"
	"strconv"
	"strings"

	"ucspi-go/rules"
)

// earlier are the rules so far, by their keys: of several with one key the
// first counts.
type earlier struct {
	rules []rules.Rule
	keys  map[string][]taken // by the key without its last number
}

// taken are the keys of a rule that none before it has: those whose last
// number is from low to top.
type taken struct {
	low, top int // numberless for a key without a number
	rule     int // index in earlier.rules
}

const numberless = -1

// A claim is what a rule asks for: keys that differ in their last number.
type claim struct {
	rest     string
	low, top int
	key      string // the first
}

// claims returns what a rule asks for: one claim, unless its range is not in
// the last number.
func claims(rule rules.Rule) (all []claim) {
	if before, low, top, after, ok := rule.Range(); ok && low <= top && strings.Trim(after, ".") == "" {
		return []claim{{before + "-" + after, low, top, before + strconv.Itoa(low) + after}}
	}
	for key := range rule.Keys() {
		all = append(all, claimOf(key))
	}
	return all
}

// claimOf returns the claim of a single key.
func claimOf(key string) claim {
	digits := strings.TrimRight(key, ".")
	at := strings.LastIndexByte(digits, '.') + 1
	if n, err := strconv.ParseUint(digits[at:], 10, 8); err == nil && strconv.Itoa(int(n)) == digits[at:] {
		return claim{key[:at] + "-" + key[len(digits):], int(n), int(n), key}
	}
	return claim{key, numberless, numberless, key}
}

// add takes the keys of a claim that are free for a rule. It returns how many
// it asks for and how many others have, and calls had for each of these.
func (e *earlier) add(c claim, rule int, had func(t taken, key string)) (asked, lost int) {
	have := e.keys[c.rest]
	for low := c.low; low <= c.top; {
		// The next that is taken, and where it ends.
		at, found := slices.BinarySearchFunc(have, low, func(t taken, n int) int {
			switch {
			case t.top < n:
				return -1
			case t.low > n:
				return 1
			}
			return 0
		})
		next := taken{low: low, top: c.top, rule: rule}
		if found {
			next = have[at]
			had(next, c.number(low))
			lost += min(next.top, c.top) - low + 1
		} else {
			if at < len(have) {
				next.top = min(c.top, have[at].low-1)
			}
			have = slices.Insert(have, at, next)
		}
		low = next.top + 1
	}
	e.keys[c.rest] = have
	return c.top - c.low + 1, lost
}

// number returns the claimed key with that number.
func (c claim) number(n int) string {
	if n == c.low {
		return c.key
	}
	at := strings.LastIndexByte(c.rest, '-')
	return c.rest[:at] + strconv.Itoa(n) + c.rest[at+1:]
}

// duplicates looks for earlier rules with keys of this one.
func (l *linter) duplicates(rule rules.Rule) {
	e := &l.earlier
	if e.keys == nil {
		e.keys = make(map[string][]taken)
	}
	total, lost, other, key := 0, 0, -1, ""
	same := true // what the earlier rules do
	for _, c := range claims(rule) {
		n, m := e.add(c, len(e.rules), func(t taken, k string) {
			if other < 0 || same && !sameEffect(e.rules[t.rule], rule) {
				other, key = t.rule, k
				same = sameEffect(e.rules[t.rule], rule)
			}
		})
		total, lost = total+n, lost+m
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
