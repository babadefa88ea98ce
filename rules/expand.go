package rules

import (
	"bytes"
	"iter"
	"strconv"
)

// A span is the keys that an address stands for: one, or one for each number
// of its range.
type span struct {
	left, right []byte // before and after the number; without a range left is all
	ranged      bool
	low, top    uint64 // top at most 255; low may be above it, then there is no key
}

// expand finds the range around the first "-" of an address. An address with
// "=" or "@" has none. Ok is false when a side of the range is no number, and
// for an IPv6 address or CIDR notation that is none.
func expand(address []byte) (s span, ok bool) {
	if bytes.IndexByte(address, '/') >= 0 || bytes.IndexByte(address, ':') >= 0 {
		if key, known, ok := networkKey(string(address)); known {
			return span{left: []byte(key)}, ok
		}
	}
	dash := bytes.IndexByte(address, '-')
	if dash < 0 || bytes.IndexByte(address, '=') >= 0 || bytes.IndexByte(address, '@') >= 0 {
		return span{left: address}, true
	}
	left := bytes.LastIndexByte(address[:dash], '.') + 1
	right := len(address)
	if dot := bytes.IndexByte(address[dash:], '.'); dot >= 0 {
		right = dash + dot
	}
	low, ok := number(address[left:dash])
	if !ok {
		return span{}, false
	}
	top, ok := number(address[dash+1 : right])
	return span{left: address[:left], right: address[right:], ranged: true, low: low, top: min(top, 255)}, ok
}

// key writes the key for the number n of a range over buf.
func (s span) key(buf []byte, n uint64) []byte {
	return append(strconv.AppendUint(append(buf[:0], s.left...), n, 10), s.right...)
}

// numbers returns the range of the rule's address: its keys are before, each
// number from low to top, and after. When low is above top there is none. Ok
// is false for an address without a range, and before is its one key.
func (r Rule) numbers() (before string, low, top int, after string, ok bool) {
	s, valid := expand([]byte(r.Address))
	switch {
	case !valid:
		return r.Address, 0, 0, "", false
	case !s.ranged:
		return string(s.left), 0, 0, "", false
	}
	return string(s.left), int(min(s.low, 256)), int(s.top), string(s.right), true
}

// Keys yields the keys of the rule's records, in their order: that of its
// address, or each of the at most 256 addresses of its range.
func (r Rule) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		before, low, top, after, ranged := r.numbers()
		if !ranged {
			yield(before)
			return
		}
		for n := low; n <= top; n++ {
			if !yield(before + strconv.Itoa(n) + after) {
				return
			}
		}
	}
}

// number reads digits up to the end or to a NUL. None is 0, and an overflow
// wraps at 64 bits, as in the C program.
func number(digits []byte) (n uint64, ok bool) {
	for _, c := range digits {
		if c == 0 {
			break
		}
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	return n, true
}
