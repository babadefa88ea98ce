package qmaildkim

import (
	"crypto"
	"errors"
	"net"
	"slices"
	"strings"

	"ucspi-go/qmaildkim/keys"
)

// What the DNS says of a key, in the words of Publication.State.
const (
	PublishedMatch     = "match"     // verifiers find this key
	PublishedMissing   = "missing"   // there is no record
	PublishedDiffers   = "differs"   // there is, but not with this key, or not in a form that verifiers read
	PublishedRevoked   = "revoked"   // p= is empty
	PublishedTemporary = "temporary" // the DNS cannot be asked
)

// A Publication says whether the key that signs is the one that verifiers
// find.
type Publication struct {
	State   string // one of the words above
	Reason  string // why it differs or is temporary, in words; empty otherwise
	Text    string // the record, its strings joined; of several the first
	Testing bool   // t=y: verifiers are asked to ignore failures
	Bits    int    // size of the key published, as KeyBits; 0 for none
}

// Published compares the public half of a key with the TXT records at its
// name, or with the error of asking for them, as RFC 6376 section 3.6.1 has
// verifiers read them. A missing name is no error, or a net.DNSError that says
// so.
func Published(public crypto.PublicKey, texts []string, err error) Publication {
	var dnsError *net.DNSError
	if err != nil && !(errors.As(err, &dnsError) && dnsError.IsNotFound) {
		return Publication{State: PublishedTemporary, Reason: err.Error()}
	}
	if err != nil || len(texts) == 0 {
		return Publication{State: PublishedMissing}
	}
	p := Publication{State: PublishedDiffers, Text: texts[0]}
	tags, ok := parseTags(p.Text)
	p.Testing = parseKeyRecord(p.Text).testing
	algorithm, expected := algorithmOf(public)
	p.Bits = KeyBits(p.Text, algorithm)
	value, hasValue := tags["p"]
	switch {
	case len(texts) > 1 && carries(strings.Join(texts, ""), public, algorithm):
		p.Reason = "split wrongly: its strings are records of their own"
	case len(texts) > 1:
		p.Reason = "several records at one name"
	case strings.ContainsAny(p.Text, `"\`):
		p.Reason = "split wrongly: quotes or backslashes are part of the text"
	case !ok:
		p.Reason = "not a list of tags"
	case len(p.Text) >= maxKeyRecord:
		p.Reason = "longer than verifiers read"
	case tags.text("v") != "" && tags.text("v") != "DKIM1":
		p.Reason = "v= is not DKIM1"
	case !hasValue:
		p.Reason = "no p="
	case stripSpace(value) == "":
		p.State = PublishedRevoked
	case carries(p.Text, public, algorithm):
		p.State, p.Reason = usable(tags)
	case p.Bits == 0 && strings.HasPrefix(expected, tags.text("p")) && tags.text("p") != expected:
		p.Reason = "split wrongly: only the first part of the key is there"
	case p.Bits == 0:
		p.Reason = "no " + algorithm + " key can be read from it"
	default:
		p.Reason = "another key"
	}
	return p
}

// algorithmOf returns the k= of a key's record and its p=, empty for a key
// that signs no mail.
func algorithmOf(public crypto.PublicKey) (algorithm, value string) {
	text, err := keys.Record(public, false)
	if err != nil {
		return "", ""
	}
	tags, _ := parseTags(text)
	return tags.text("k"), tags.text("p")
}

// carries reports whether a record publishes a key.
func carries(text string, public crypto.PublicKey, algorithm string) bool {
	published, ok := publicKey(text, algorithm).(interface{ Equal(crypto.PublicKey) bool })
	return ok && published.Equal(public)
}

// usable returns the state of a record that holds the right key: its other
// tags can still keep verifiers from using it.
func usable(tags tagList) (state, reason string) {
	allows := func(name string, words ...string) bool {
		list := tags.list(name)
		if len(list) == 0 {
			return true
		}
		return slices.ContainsFunc(list, func(word string) bool { return slices.Contains(words, word) })
	}
	switch {
	case !allows("h", "sha256"):
		return PublishedDiffers, "h= does not allow sha256"
	case !allows("s", "*", "email"):
		return PublishedDiffers, "s= does not allow email"
	}
	return PublishedMatch, ""
}
