package qmaildkim

import (
	"maps"
	"strings"
	"time"

	"ucspi-go/internal/socket"
)

// commonSelectors are asked for when a signature does not fit the key at its
// own: what administrators and mailing services most often use.
var commonSelectors = []string{"default", "dkim", "mail", "selector1", "selector2", "s1", "s2", "k1", "k2", "key1", "smtp", "google"}

// maxOtherKeys bounds how many are asked for.
const maxOtherKeys = 16

// otherKeysBudget bounds the time for all of them, which are asked at once.
const otherKeysBudget = 2 * time.Second

// An otherKey is a key that the signing domain publishes at another selector.
type otherKey struct {
	selector string
	text     string // its record
}

// others returns the keys of a domain at other selectors than one: first
// those of selectors, then those at commonSelectors. It asks for all at the
// same time; what has not come within otherKeysBudget is left out.
func (r *keyring) others(domain, selector string, selectors []string) []otherKey {
	ctx, cancel := socket.Within(r.ctx, otherKeysBudget)
	defer cancel()
	// What the message asked for is known. What is asked for now is nobody's
	// business but this function's, as it may end with its time.
	r.mu.Lock()
	fork := &keyring{ctx: ctx, lookup: r.lookup, keys: maps.Clone(r.keys)}
	r.mu.Unlock()
	type answer struct {
		i     int
		texts []string
	}
	answers := make(chan answer)
	var names []string
	for _, s := range append(selectors[:len(selectors):len(selectors)], commonSelectors...) {
		if !strings.EqualFold(s, selector) && len(names) < maxOtherKeys {
			names = appendNew(names, s)
		}
	}
	for i, s := range names {
		go func() {
			texts := fork.key(keyName(s, domain)).texts
			select {
			case answers <- answer{i, texts}:
			case <-ctx.Done():
			}
		}()
	}
	found := make([]*otherKey, len(names))
	for waiting := len(names); waiting > 0; {
		select {
		case a := <-answers:
			waiting--
			if len(a.texts) == 1 {
				found[a.i] = &otherKey{names[a.i], a.texts[0]}
			}
		case <-ctx.Done():
			waiting = 0
		}
	}
	var keys []otherKey
	for _, k := range found {
		if k != nil {
			keys = append(keys, *k)
		}
	}
	return keys
}

// wrongKey is the alteration of a signature that was made with the key at
// another selector.
func wrongKey(selector string) alteration {
	return alteration{"wrong-key", "with the key at selector " + quote([]byte(selector)), "the key at its own selector is not the one that signed"}
}
