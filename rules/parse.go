package rules

import "io"

// A Rule is one line of a rules file before range expansion.
type Rule struct {
	Line    int    // 1-based
	Address string // "joe@1.2.3.4", "=.example.org", "10.0-3.", "" for the default
	Deny    bool
	Env     []Var // in file order; later wins
}

// A Set is the rules of one file, in file order.
type Set struct {
	Rules []Rule
}

// Parse reads the text form. Comments, empty lines and lines without a colon
// are no rules. The error is a *SyntaxError for the first bad line, as
// tcprules, or the reader's.
func Parse(r io.Reader) (*Set, error) {
	set := &Set{}
	s := newScanner(r)
	for {
		l, err := s.next()
		if err == io.EOF {
			return set, nil
		}
		if err != nil {
			return nil, err
		}
		rule, fault, _ := l.rule()
		if fault != FaultNone {
			return nil, l.bad()
		}
		set.Rules = append(set.Rules, rule)
	}
}

// rule returns the rule that the line is. With a fault it is what was read
// before, and rest begins where no more could be.
func (l line) rule() (rule Rule, fault Fault, rest []byte) {
	rule = Rule{Line: l.number, Address: string(l.address), Deny: l.deny}
	for rest = l.settings; len(rest) > 0; {
		name, value, after, fault := cutVar(rest)
		if fault != FaultNone {
			return rule, fault, rest
		}
		rule.Env = append(rule.Env, Var{Name: string(name), Value: string(value)})
		rest = after
	}
	if _, ok := expand(l.address); !ok {
		if _, known, _ := networkKey(rule.Address); known {
			return rule, FaultNetwork, l.address
		}
		return rule, FaultRange, l.address
	}
	return rule, FaultNone, nil
}
