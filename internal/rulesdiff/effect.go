package rulesdiff

import (
	"strings"

	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// An effect is what a decision does in the end. Each is there once, so that
// equal effects have equal pointers.
type effect struct {
	deny bool
	vars []rules.Var // sorted by name
}

// effects has all effects of a comparison.
type effects map[string]*effect

// of returns the effect of a decision.
func (all effects) of(d rules.Decision) *effect {
	vars := d.Settings()
	var b strings.Builder
	if d.Deny {
		b.WriteByte('D')
	}
	for _, v := range vars {
		b.WriteString(v.String() + "\x00") // neither has a NUL in it
	}
	key := b.String()
	e := all[key]
	if e == nil {
		e = &effect{d.Deny, vars}
		all[key] = e
	}
	return e
}

// relays reports whether a client may relay.
func (e *effect) relays() bool {
	for _, v := range e.vars {
		if v.Name == "RELAYCLIENT" {
			return true
		}
	}
	return false
}

// What clients who are denied now could do before: that is all that is told of
// it.
var (
	could      = &effect{}
	couldRelay = &effect{vars: []rules.Var{{Name: "RELAYCLIENT"}}}
)

// told returns what a change to after tells of what was before.
func told(before, after *effect) *effect {
	switch {
	case !after.deny:
		return before
	case before.relays():
		return couldRelay
	}
	return could
}

// A class is what matters most of a change, the most important first.
type class int

const (
	relayOn class = iota
	relayOff
	denied
	allowed
	changed
)

// words are for the first column of the output.
var words = [...]string{"relay on", "relay off", "denied", "allowed", "changed"}

func classOf(before, after *effect) class {
	switch {
	case after.deny:
		return denied
	case after.relays() && !before.relays():
		return relayOn
	case before.deny:
		return allowed
	case before.relays() && !after.relays():
		return relayOff
	}
	return changed
}

// details tells what becomes of the variables: +NAME="value" for a new one,
// -NAME="value" for one that is gone, NAME="old"->"new". Of a client that is
// denied there is nothing to tell but that it could relay.
func details(before, after *effect) string {
	if after.deny {
		if before.relays() {
			return "-RELAYCLIENT"
		}
		return ""
	}
	var out []string
	a, b := before.vars, after.vars
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			out = append(out, "-"+setting(a[0]))
			a = a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			out = append(out, "+"+setting(b[0]))
			b = b[1:]
		default:
			if a[0].Value != b[0].Value {
				out = append(out, setting(a[0])+"->"+quote(b[0].Value))
			}
			a, b = a[1:], b[1:]
		}
	}
	return strings.Join(out, " ")
}

func setting(v rules.Var) string { return ucspi.Escape(v.Name) + "=" + quote(v.Value) }

func quote(value string) string { return `"` + ucspi.Escape(value) + `"` }
