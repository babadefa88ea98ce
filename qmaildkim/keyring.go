package qmaildkim

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
)

// Time for all keys of a message together.
const (
	lookupBudget    = 10 * time.Second // unless configured
	maxLookupBudget = 10 * time.Minute // what RFC 5321 has a client wait after DATA
)

// A keyring fetches the keys that the signatures of one message name, each
// once. It is safe for concurrent use: go-msgauth verifies the signatures of a
// message side by side.
type keyring struct {
	ctx    context.Context
	lookup func(ctx context.Context, name string) ([]string, error)
	mu     sync.Mutex
	keys   map[string]*publishedKey
}

// A publishedKey is the answer for one name.
type publishedKey struct {
	once   sync.Once
	texts  []string
	err    error
	record keyRecord
}

var (
	errKeyName    = errors.New("not a domain name")
	errNoResolver = errors.New("no resolver")
	errKeyTooLong = errors.New("key record is too long")
)

// keyName returns the name under which a signature's key is published, with
// international labels in the form that the DNS has (RFC 8616).
func keyName(selector, domain string) string {
	return asciiHost(selector + "._domainkey." + domain)
}

// lookupTXT answers as go-msgauth wants it: no text when the name has none,
// and every failure to ask temporary, since none says that there is no key.
func (r *keyring) lookupTXT(name string) ([]string, error) {
	k := r.key(asciiHost(name))
	return k.texts, k.err
}

// key returns the answer for a name in the form of keyName.
func (r *keyring) key(name string) *publishedKey {
	r.mu.Lock()
	k := r.keys[name]
	if k == nil {
		k = new(publishedKey)
		r.keys[name] = k
	}
	r.mu.Unlock()
	k.once.Do(func() { k.fetch(r.ctx, r.lookup, name) })
	return k
}

func (k *publishedKey) fetch(ctx context.Context, lookup func(context.Context, string) ([]string, error), name string) {
	if !isDomainName(name) {
		k.err = errKeyName
		return
	}
	var texts []string
	err := errNoResolver
	if lookup != nil {
		texts, err = lookup(ctx, name)
	}
	if err != nil {
		var e *net.DNSError
		if errors.As(err, &e) && e.IsNotFound {
			return
		}
		k.err = &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
		return
	}
	if len(texts) == 1 {
		if len(texts[0]) >= maxKeyRecord {
			k.err = errKeyTooLong
			return
		}
		k.record = parseKeyRecord(texts[0])
		texts = []string{recordBlanks.Replace(texts[0])}
	}
	k.texts = texts
}

// isDomainName reports whether the DNS can be asked for name.
func isDomainName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			if c <= ' ' || c >= 0x7f {
				return false
			}
		}
	}
	return true
}
