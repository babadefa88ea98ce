package dns

import (
	"context"
	"errors"
	"net/netip"
	"slices"
)

// LookupNS returns the names of the name servers of a zone, as Text writes
// them, in order; none for a name that no zone begins at. What an alias of
// the name leads to does not count.
func (r *Resolver) LookupNS(ctx context.Context, zone string) ([]string, error) {
	p, err := r.ask(ctx, zone, typeNS)
	if err != nil {
		return nil, err
	}
	found, err := records(p, typeNS)
	if err != nil {
		return nil, failure(zone, err)
	}
	wire, err := Wire(zone)
	if err != nil {
		return nil, failure(zone, err)
	}
	var hosts []string
	for _, rec := range found {
		if !rec.of(wire) {
			continue
		}
		host, err := rec.name()
		if err != nil {
			return nil, failure(zone, err)
		}
		hosts = append(hosts, Text(host))
	}
	slices.Sort(hosts)
	return slices.Compact(hosts), nil
}

// An Answer is what one server says of a name in a zone of its own.
type Answer struct {
	Texts []string // as LookupTXT returns them
	Alias string   // where else the server says the records are, as Text writes it; empty for nowhere
}

// ErrNotAuthoritative is the cause of the Error for a server that answers
// from no zone of its own.
var ErrNotAuthoritative = errors.New("not authoritative")

// maxChain is how many aliases within one response are followed.
const maxChain = 16

// AskTXT asks one server for the TXT records of a name that it has itself.
func (r *Resolver) AskTXT(ctx context.Context, server netip.AddrPort, name string) (Answer, error) {
	wire, err := Wire(name)
	if err != nil {
		return Answer{}, &Error{Name: name, Err: err, bad: true}
	}
	q := query(wire, typeTXT)
	q[2] = 0 // no recursion
	p, err := r.send(ctx, name, q, []netip.AddrPort{server})
	if err != nil {
		return Answer{}, err
	}
	if !authoritative(p) {
		return Answer{}, failure(name, ErrNotAuthoritative)
	}
	a, err := answerOf(p, wire)
	if err != nil {
		return Answer{}, failure(name, err)
	}
	return a, nil
}

// answerOf reads a response, of which records of other names than the one
// asked for, and those that its aliases lead to, do not count.
func answerOf(p, name []byte) (a Answer, err error) {
	aliases, err := records(p, typeCNAME)
	if err != nil {
		return a, err
	}
	texts, err := records(p, typeTXT)
	if err != nil {
		return a, err
	}
	at := name
	for range maxChain {
		i := slices.IndexFunc(aliases, func(rec record) bool { return rec.of(at) })
		if i < 0 {
			break
		}
		if at, err = aliases[i].name(); err != nil {
			return a, err
		}
	}
	for _, rec := range texts {
		if rec.of(at) {
			a.Texts = append(a.Texts, rec.text())
		}
	}
	if len(a.Texts) == 0 && !sameName(at, name) {
		a.Alias = Text(at)
	}
	return a, nil
}
