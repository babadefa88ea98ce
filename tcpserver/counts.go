package tcpserver

import (
	"iter"
	"slices"
)

// counts are how many connections have a program, by block. Nothing is
// counted until a rule wants it, and then from those that there are: so the
// numbers are right for connections that came before, and a server without
// limits pays nothing. Memory is bounded by the connections at the same time,
// times the prefix lengths that rules name.
type counts struct {
	kept []uint8 // lengths of prefixes, in bits
	n    map[block]int
}

// keep makes sure that blocks of that length are counted. All yields the
// addresses of the connections that there are.
func (c *counts) keep(bits uint8, all iter.Seq[block]) {
	if slices.Contains(c.kept, bits) {
		return
	}
	if c.n == nil {
		c.n = make(map[block]int)
	}
	c.kept = append(c.kept, bits)
	for a := range all {
		c.n[a.wider(bits)]++
	}
}

// add counts a connection, d being 1, or no longer, d being -1.
func (c *counts) add(a block, d int) {
	for _, bits := range c.kept {
		b := a.wider(bits)
		if n := c.n[b] + d; n > 0 {
			c.n[b] = n
		} else {
			delete(c.n, b)
		}
	}
}
