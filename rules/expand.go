package rules

import "bytes"

// A span is the keys that an address stands for: itself, or one for each
// number of its range.
type span struct {
	left, right []byte // before and after the number; without a range left is all
	ranged      bool
	low, top    uint64 // top at most 255; low may be above it, then there is no key
}

// expand finds the range around the first "-" of an address. An address with
// "=" or "@" has none. Ok is false when a side of the range is no number.
func expand(address []byte) (s span, ok bool) {
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
