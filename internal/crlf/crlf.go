// Package crlf converts the line ends of byte streams between LF and CR LF,
// as the filters of ucspi-tcp 0.88 do.
//
// A stream comes in pieces, cut anywhere. Each conversion appends to the
// caller's slice and allocates nothing when that has room for twice the piece
// and one byte more.
package crlf

import (
	"bytes"
	"slices"
)

const (
	cr = '\r'
	lf = '\n'
)

// block is how many bytes are looked at one by one before a search for the
// next LF: shorter lines are not worth the calls of search and copy.
const block = 16

// Add appends src to dst with a CR before every LF, also where one stands
// already. A stream may be added piece by piece. As addcr.
func Add(dst, src []byte) []byte {
	out, n := room(dst, src)
	for len(src) > 0 {
		head, tail := split(src)
		long := true
		for _, c := range head {
			out[n] = cr
			if c == lf {
				n++
				long = false
			}
			out[n] = c
			n++
		}
		if long {
			i := line(tail)
			n += copy(out[n:], tail[:i])
			tail = tail[i:]
		}
		src = tail
	}
	return out[:n]
}

// A Fixer adds the CR to the LFs of one stream that lack it. Its zero value
// is the start of a stream. As fixcrio.
type Fixer struct {
	last byte // of the stream so far
}

// Append appends the next piece of the stream, converted.
func (f *Fixer) Append(dst, src []byte) []byte {
	out, n := room(dst, src)
	last := f.last
	for len(src) > 0 {
		head, tail := split(src)
		long := true
		for _, c := range head {
			out[n] = cr
			if c == lf {
				if last != cr {
					n++
				}
				long = false
			}
			out[n] = c
			n++
			last = c
		}
		if long {
			if i := line(tail); i > 0 {
				n += copy(out[n:], tail[:i])
				last = tail[i-1]
				tail = tail[i:]
			}
		}
		src = tail
	}
	f.last = last
	return out[:n]
}

// A Remover removes one CR directly before each LF of one stream. Its zero
// value is the start of a stream. As delcr.
type Remover struct {
	held bool // a CR at the end of the last piece
}

// Append appends the next piece of the stream, converted. A CR at its end is
// held back until it is known what follows.
func (r *Remover) Append(dst, src []byte) []byte {
	if len(src) == 0 {
		return dst
	}
	out, n := room(dst, src)
	var last byte
	if r.held {
		last = cr
		out[n] = cr
		n++
	}
	for len(src) > 0 {
		head, tail := split(src)
		long := true
		for _, c := range head {
			if c == lf {
				if last == cr {
					n--
				}
				long = false
			}
			out[n] = c
			n++
			last = c
		}
		if long {
			if i := line(tail); i > 0 {
				n += copy(out[n:], tail[:i])
				last = tail[i-1]
				tail = tail[i:]
			}
		}
		src = tail
	}
	r.held = last == cr
	if r.held {
		n--
	}
	return out[:n]
}

// Flush appends the CR that was held back, at the end of the stream.
func (r *Remover) Flush(dst []byte) []byte {
	if r.held {
		dst = append(dst, cr)
		r.held = false
	}
	return dst
}

// room returns dst with room for src converted, and where that goes.
func room(dst, src []byte) (out []byte, n int) {
	dst = slices.Grow(dst, 2*len(src)+1)
	return dst[:cap(dst)], len(dst)
}

// split cuts off a block.
func split(src []byte) (head, tail []byte) {
	n := min(block, len(src))
	return src[:n], src[n:]
}

// line returns how many bytes stand before the first LF.
func line(src []byte) int {
	if i := bytes.IndexByte(src, lf); i >= 0 {
		return i
	}
	return len(src)
}
