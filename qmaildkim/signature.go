package qmaildkim

import (
	"strconv"
	"strings"
)

// newSignature returns a signature field's own words, not yet judged, and its
// tags.
func newSignature(f field) (Signature, tagList) {
	tags, _ := parseTags(string(f.value()))
	return Signature{
		Domain:    tags.text("d"),
		Selector:  tags.text("s"),
		Algorithm: tags.text("a"),
		Identity:  tags.text("i"),
		Value:     tags.text("b"),
	}, tags
}

// KeyName returns the name under which the signature's key is published.
func (s Signature) KeyName() string { return keyName(s.Selector, s.Domain) }

// SpeaksFor reports whether d= is a domain or a parent of it. Letter case and
// the form of international names make no difference.
func (s Signature) SpeaksFor(domain string) bool {
	d := asciiHost(s.Domain)
	domain = asciiHost(domain)
	return d != "" && (domain == d || strings.HasSuffix(domain, "."+d))
}

// correct changes the letter where go-msgauth v0.7.0 judges otherwise than
// RFC 6376. What it gets wrong and cannot be asked again is neutral: good or
// bad is not known.
func (s *Signature) correct(f field, tags tagList) {
	lower := strings.ToLower
	switch {
	case s.Letter == letterIdentity && within(lower(s.Identity), lower(s.Domain)):
		s.Letter, s.Reason = letterNeutral, "i= and d= differ in letter case"
	case s.Reason == "unsupported public key query method" && queries(tags, "dns"):
		s.Letter, s.Reason = letterNeutral, "q=dns is not q=dns/txt"
	case s.Letter == letterBad && hidesB(string(f.value())):
		s.Letter, s.Reason = letterNeutral, "b= inside another tag"
	}
	if s.Letter != letterVersion && endsBeforeStart(tags) {
		s.Letter, s.Reason = letterSyntax, "x= is not after t="
	}
}

// applyKey changes the letter for what the key record says and go-msgauth does
// not apply.
func (s *Signature) applyKey(keys *keyring) {
	switch s.Letter {
	case letterGood, letterBad, letterBody, letterExtra, letterNoKey:
	case letterNeutral:
		s.requireKey(keys.key(s.KeyName()))
		return
	default:
		return // no key was asked for, or it was of no use
	}
	key := keys.key(keyName(s.Selector, s.Domain))
	switch {
	case key.err == errKeyTooLong:
		s.Letter, s.Reason = letterTooLong, key.err.Error()
	case key.record.strict && s.Letter != letterNoKey && !s.exactIdentity():
		s.Letter, s.Reason = letterIdentity, "key forbids a subdomain in i="
	case key.record.testing && (s.Letter == letterBad || s.Letter == letterBody):
		s.Letter, s.Reason = letterTesting, s.Reason+", key is in test mode"
	}
}

// requireKey takes the benefit of the doubt from a signature that cannot be
// judged and has no key, since anybody can write such a one.
func (s *Signature) requireKey(key *publishedKey) {
	switch {
	case key.err == errKeyTooLong:
		s.Letter, s.Reason = letterTooLong, key.err.Error()
	case key.err != nil:
		s.Letter, s.Reason = letterTemporary, "key unavailable"
	case len(key.texts) == 0:
		s.Letter, s.Reason = letterNoKey, "no key for signature"
	case len(key.texts) > 1:
		s.Letter, s.Reason = letterRecord, "multiple TXT records found for key"
	case KeyBits(key.texts[0], s.Algorithm) == 0:
		s.Letter, s.Reason = letterKey, "key record has no key for the algorithm"
	}
}

// exactIdentity reports whether i= is in the very domain of d=.
func (s *Signature) exactIdentity() bool {
	return s.Identity == "" || strings.EqualFold(s.Identity[strings.LastIndexByte(s.Identity, '@')+1:], s.Domain)
}

// within reports whether an identity is in a domain or a subdomain of it.
func within(identity, domain string) bool {
	return strings.HasSuffix(identity, "@"+domain) || strings.HasSuffix(identity, "."+domain)
}

// queries reports whether q= lists method.
func queries(tags tagList, method string) bool {
	for _, q := range tags.list("q") {
		if strings.EqualFold(q, method) {
			return true
		}
	}
	return false
}

// endsBeforeStart reports whether x= is not after t= (RFC 6376 section 3.5).
func endsBeforeStart(tags tagList) bool {
	t, err := strconv.ParseInt(tags.text("t"), 10, 64)
	if err != nil {
		return false
	}
	x, err := strconv.ParseInt(tags.text("x"), 10, 64)
	return err == nil && x <= t
}

// hidesB reports whether a tag other than b= holds a b and an equals sign
// with text behind: go-msgauth takes that for the signature, and hashes the
// field without it.
func hidesB(value string) bool {
	for tag := range strings.SplitSeq(value, ";") {
		name, _, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) == "b" {
			continue
		}
		for i := 0; i < len(tag); i++ {
			if tag[i] != 'b' {
				continue
			}
			rest := strings.TrimLeft(tag[i+1:], " \t\r\n\f")
			if len(rest) > 1 && rest[0] == '=' {
				return true
			}
		}
	}
	return false
}
