// Package canon makes the canonical forms of header fields and message bodies
// that DKIM signs (RFC 6376 section 3.4), and the forms that signers and
// relays with a fault are known to make of them.
package canon

import "strings"

// An Algorithm is a canonicalization algorithm; the zero value is Simple.
type Algorithm byte

const (
	Simple  Algorithm = iota // hardly any change is tolerated
	Relaxed                  // changes of white space and of a field name's case are
)

// String returns the name that c= has for the algorithm.
func (a Algorithm) String() string {
	if a == Relaxed {
		return "relaxed"
	}
	return "simple"
}

// Parse reads the value of c=, which is without white space: HEADER,
// HEADER/BODY or nothing, where what is not named is simple (RFC 6376 section
// 3.5). Ok is false for any other name.
func Parse(c string) (header, body Algorithm, ok bool) {
	first, second, _ := strings.Cut(c, "/")
	header, ok1 := algorithm(first)
	body, ok2 := algorithm(second)
	return header, body, ok1 && ok2
}

func algorithm(name string) (a Algorithm, ok bool) {
	switch name {
	case "", Simple.String():
		return Simple, true
	case Relaxed.String():
		return Relaxed, true
	}
	return Simple, false
}
