package rules

import (
	"slices"
	"strconv"
	"strings"
)

// A Part is keys of a rule that are alike but for their last number: Before,
// each number from Low to Top, After. A key without a number is Before alone,
// and Low and Top are -1.
type Part struct {
	Before   string
	Low, Top int
	After    string
}

// Key returns the key with the number n.
func (p Part) Key(n int) string {
	if n < 0 {
		return p.Before
	}
	return p.Before + strconv.Itoa(n) + p.After
}

// PartOf returns a key as a part.
func PartOf(key string) Part {
	digits := strings.TrimRight(key, ".")
	at := strings.LastIndexByte(digits, '.') + 1
	if n, err := strconv.ParseUint(digits[at:], 10, 8); err == nil && strconv.Itoa(int(n)) == digits[at:] {
		return Part{key[:at], int(n), int(n), key[len(digits):]}
	}
	return Part{key, -1, -1, ""}
}

// Parts returns the keys of the rule: as one part, unless its range is not in
// the last number.
func (r Rule) Parts() (parts []Part) {
	before, low, top, after, ranged := r.numbers()
	if ranged && strings.Trim(after, ".") == "" {
		if low > top {
			return nil
		}
		return []Part{{before, low, top, after}}
	}
	for key := range r.Keys() {
		parts = append(parts, PartOf(key))
	}
	return parts
}

// Owners says which of several rules has a key: the first that is added with
// it. Its memory is linear in the rules, however large their ranges. The zero
// value is ready.
type Owners struct {
	keys map[string][]owned // by what is around the number
}

// owned are keys of one owner.
type owned struct{ low, top, owner int }

// Add adds the keys of a part for an owner, and calls each for the parts that
// it is made of, with who has them: owner, or who came before.
func (o *Owners) Add(p Part, owner int, each func(p Part, owner int)) {
	if o.keys == nil {
		o.keys = make(map[string][]owned)
	}
	around := p.Before + "-" + p.After
	have := o.keys[around]
	for low := p.Low; low <= p.Top; {
		// The next that somebody has.
		at, found := slices.BinarySearchFunc(have, low, func(h owned, n int) int {
			switch {
			case h.top < n:
				return -1
			case h.low > n:
				return 1
			}
			return 0
		})
		next := owned{low, p.Top, owner}
		if found {
			next.top, next.owner = min(p.Top, have[at].top), have[at].owner
		} else {
			if at < len(have) {
				next.top = min(p.Top, have[at].low-1)
			}
			have = slices.Insert(have, at, next)
		}
		each(Part{p.Before, low, next.top, p.After}, next.owner)
		low = next.top + 1
	}
	o.keys[around] = have
}
