package qmaildkim

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"ucspi-go/internal/socket"
	"ucspi-go/rules"
)

// A preflight says what is done about a key that is not the published one.
type preflight int

const (
	preflightOff      preflight = iota // nothing is asked
	preflightLog                       // it signs, and the log has a word
	preflightUnsigned                  // it does not sign
)

// envPreflight is read with each way of signing, so that a line of
// control/dkimkeys may set it for its domains.
const envPreflight = "DKIMPREFLIGHT"

// preflightBudget is the time for all keys of a message, unless
// Config.LookupTime is set: a client waits, for what is not needed to sign.
const preflightBudget = 2 * time.Second

// preflightOf returns what environ asks for. Known is false for a value that
// means nothing: it is taken for log, since a typo must not change the mail.
func preflightOf(environ rules.Environ) (p preflight, known bool) {
	switch value, set := environ.Lookup(envPreflight); {
	case !set:
		return preflightOff, true
	case value == "unsigned":
		return preflightUnsigned, true
	default:
		return preflightLog, value == "" || value == "log"
	}
}

// preflight compares the key of each signature with what is published of it,
// says so in the report, and ends the signers whose key verifiers would not
// find, if that is asked for. What cannot be found out changes nothing.
func (f *Filter) preflight(ctx context.Context, j *job) {
	if j.preflight == preflightOff || len(j.signers) == 0 {
		return
	}
	p := f.publications
	if p == nil {
		p = &publications{lookup: func(ctx context.Context, name string) ([]string, time.Duration, error) {
			if f.LookupTXT == nil {
				return nil, 0, errNoResolver
			}
			texts, err := f.LookupTXT(ctx, name)
			return texts, 0, err
		}}
	}
	ctx, cancel := socket.Within(ctx, cmp.Or(f.Config.LookupTime, preflightBudget))
	defer cancel()
	states, err := p.states(ctx, j.report.Signed)
	if err != nil {
		j.report.warn("preflight-cache")
	}
	var wrong []int
	for i, state := range states {
		if state == PublishedMatch {
			continue
		}
		j.report.warn(preflightWord(state) + ":" + j.report.Signed[i].Selector)
		if j.preflight == preflightUnsigned && state != PublishedTemporary {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) == len(states) {
		j.report.Reason = preflightWord(states[0])
	}
	for n, i := range wrong {
		j.drop(i - n)
	}
}

// preflightWord returns the word for the log.
func preflightWord(state string) string { return "key-" + state }

// publications knows what is published of keys, asks for the rest, and keeps
// the answers for the next process.
type publications struct {
	lookup func(ctx context.Context, name string) (texts []string, ttl time.Duration, err error)
	cache  *publicationCache // nil for none
}

// states returns what is published of the keys of signatures, in the words of
// Publication.State. The error is that of the cache, without which the states
// are as good.
func (p *publications) states(ctx context.Context, signed []Signed) (states []string, err error) {
	entries := make([]cacheEntry, len(signed))
	for i, s := range signed {
		entries[i] = cacheEntry{name: keyName(s.Selector, s.Domain), key: fingerprint(s.Public)}
	}
	if p.cache != nil {
		err = p.cache.fill(entries)
	}
	if slices.ContainsFunc(entries, func(e cacheEntry) bool { return e.state == "" }) {
		p.ask(ctx, signed, entries)
		if p.cache != nil {
			err = errors.Join(err, p.cache.store(entries))
		}
	}
	for _, e := range entries {
		states = append(states, e.state)
	}
	return states, err
}

// ask asks for the entries without a state, for all at the same time.
func (p *publications) ask(ctx context.Context, signed []Signed, entries []cacheEntry) {
	var all sync.WaitGroup
	for i := range entries {
		e := &entries[i]
		if e.state != "" {
			continue
		}
		one := func() {
			texts, ttl, err := []string(nil), time.Duration(0), error(&net.DNSError{Name: e.name, IsNotFound: true})
			if isDomainName(e.name) { // else nothing can be published there
				texts, ttl, err = p.lookup(ctx, e.name)
			}
			e.state = Published(signed[i].Public, texts, err).State
			e.kept = keepingTime(e.state, ttl)
		}
		if len(entries) == 1 { // needs no thread more
			one()
		} else {
			all.Go(one)
		}
	}
	all.Wait()
}

// Times for which an answer is kept.
const (
	minKept = time.Minute
	maxKept = 24 * time.Hour
)

// keepingTime returns for how long an answer is kept: the record's own time
// while all is well, else so short that mending is soon seen, but long enough
// that not every message waits for a name server that says nothing.
func keepingTime(state string, ttl time.Duration) time.Duration {
	if state != PublishedMatch {
		return minKept
	}
	return min(max(ttl, minKept), maxKept)
}
