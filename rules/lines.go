package rules

import (
	"io"
	"iter"
)

// A LineKind is what tcprules takes a line for.
type LineKind int

// The kinds of lines.
const (
	LineRule    LineKind = iota
	LineComment          // begins with "#", or is empty
	LineSkipped          // has no colon: as silently skipped as a comment
	LineBad              // for which the whole file is refused
)

// A Fault is why a line is bad.
type Fault int

// The faults.
const (
	FaultNone    Fault = iota
	FaultAction        // neither "allow" nor "deny" follows the colon
	FaultComma         // something other than a comma follows the action or a value
	FaultEquals        // a comma without NAME= after it
	FaultValue         // nothing after NAME=
	FaultQuote         // the byte after NAME= does not come again to end the value
	FaultRange         // the ends of a range are not numbers
	FaultNetwork       // a prefix length that is none, or behind no address
)

// A Line is one line of a rules file.
type Line struct {
	Kind  LineKind
	Text  string // without the newline; in a rule and a bad line without trailing blanks
	Rule  Rule   // Rule.Line is that of any kind; of a bad line what could be read
	Fault Fault
	Rest  string // of a bad line, from where it could not be read
}

// Lines yields every line of a text, for who wants to know more than Parse
// tells: also those that are no rules, and those behind a bad one. The error,
// with which it ends, is the reader's.
func Lines(r io.Reader) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		s := newScanner(r)
		for {
			l, err := s.scan()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Line{}, err)
				return
			}
			if !yield(l.line(), nil) {
				return
			}
		}
	}
}

func (l line) line() Line {
	out := Line{Kind: l.kind, Text: string(l.text), Rule: Rule{Line: l.number}}
	switch l.kind {
	case LineComment:
		if n := len(out.Text); out.Text[n-1] == '\n' {
			out.Text = out.Text[:n-1]
		}
	case LineBad:
		out.Rule.Address, out.Fault, out.Rest = string(l.address), FaultAction, string(l.settings)
	case LineRule:
		var rest []byte
		if out.Rule, out.Fault, rest = l.rule(); out.Fault != FaultNone {
			out.Kind, out.Rest = LineBad, string(rest)
		}
	}
	return out
}
