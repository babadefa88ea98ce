package qmaildkim

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"ucspi-go/internal/socket"
	"ucspi-go/internal/spool"

	"github.com/emersion/go-msgauth/dkim"
)

const (
	signatureField = "DKIM-Signature"
	statusField    = "DKIM-Status"
	resultsField   = "Authentication-Results"
)

// A verifier judges the signatures of messages (RFC 6376 section 6).
type verifier struct {
	lookupTXT  func(ctx context.Context, name string) ([]string, error)
	authServID string        // own name in Authentication-Results, empty for none
	align      bool          // a good signature counts only for the author's domain
	anyFrom    bool          // several From fields are no fault
	budget     time.Duration // for all keys of a message; 0 is lookupBudget
}

// verify judges a message. Author is the domain of its author, empty when
// there is none; only align uses it.
func (c verifier) verify(ctx context.Context, h *header, msg *spool.Spool, author string) Verdict {
	v := Verdict{authServID: c.authServID, cut: forged(h, msg, c.authServID)}
	fields := topSignatures(h)
	parsed := make([]tagList, len(fields))
	v.Signatures = make([]Signature, len(fields))
	for i, f := range fields {
		v.Signatures[i], parsed[i] = newSignature(f)
	}
	switch reason := fence(h); {
	case reason != "":
		judgeAll(v.Signatures, letterNotValid, reason)
	case countFrom(h) > 1 && !c.anyFrom:
		judgeAll(v.Signatures, letterFrom, "more than one From field")
	case len(fields) > 0:
		c.judge(ctx, h, msg, fields, parsed, v.Signatures)
	}
	v.Letter = combine(v.Signatures)
	if h.over && len(fields) == 0 { // there may be some further down
		v.Letter, v.Reason = letterNotValid, fence(h)
	}
	if c.align {
		switch v.Letter {
		case letterGood, letterPartial, letterNeutral:
			if !aligned(v.Signatures, author, v.Letter) {
				v.Letter = letterThirdParty
			}
		}
	}
	return v
}

// judge gives each signature its letter and reason.
func (c verifier) judge(ctx context.Context, h *header, msg *spool.Spool, fields []field, tags []tagList, signatures []Signature) {
	ctx, cancel := socket.Within(ctx, cmp.Or(c.budget, lookupBudget))
	defer cancel()
	keys := &keyring{ctx: ctx, lookup: c.lookupTXT, keys: make(map[string]*publishedKey)}
	body := &bodyReader{r: msg.Section(h.size, msg.Size()-h.size)}
	results, err := dkim.VerifyWithOptions(
		io.MultiReader(libraryHeader(h, fields, tags), body),
		&dkim.VerifyOptions{LookupTXT: keys.lookupTXT, MaxVerifications: maxSignatures})
	if body.err != nil {
		judgeAll(signatures, letterTemporary, "message cannot be read")
		return
	}
	if err != nil && err != dkim.ErrTooManySignatures || len(results) != len(signatures) {
		judgeAll(signatures, letterNeutral, "unknown verification error")
		return
	}
	for i := range signatures {
		s := &signatures[i]
		s.Letter, s.Reason = letterOf(results[i].Err)
		switch {
		case hidden(tags[i]):
			s.Letter, s.Reason = letterNotValid, "too many names in h="
		case body.long && (s.Letter == letterGood || s.Letter == letterBody || s.Letter == letterBad):
			s.Letter, s.Reason = letterNotValid, "too many blank lines in a row"
		default:
			s.correct(fields[i], tags[i])
		}
		if s.Letter == letterNeutral { // the library did not ask for its key
			go keys.key(s.KeyName())
		}
	}
	for i := range signatures {
		signatures[i].applyKey(keys)
	}
	diagnose(h, msg, keys, fields, tags, signatures)
}

// libraryHeader returns the header as go-msgauth gets it: closed, and with
// signatures that it would be slow to judge replaced. A header that is not
// closed by a blank line is a whole header.
func libraryHeader(h *header, fields []field, tags []tagList) io.Reader {
	hide := make(map[int64]bool)
	for i, f := range fields {
		hide[f.at] = hidden(tags[i])
	}
	var b bytes.Buffer
	for _, f := range h.fields {
		if hide[f.at] {
			b.WriteString(signatureField + ": v=0\r\n")
			continue
		}
		b.Write(f.raw)
		if !bytes.HasSuffix(f.raw, []byte("\n")) {
			b.WriteString("\r\n")
		}
	}
	b.WriteString("\r\n")
	return &b
}

// hidden reports whether a signature has too long a header list for
// go-msgauth, whose search is slow in the product of names and fields.
func hidden(tags tagList) bool { return strings.Count(tags["h"], ":") >= maxSignedNames }

// topSignatures returns the signature fields that are judged.
func topSignatures(h *header) []field {
	var fields []field
	for _, f := range h.fields {
		if strings.EqualFold(libraryName(f), signatureField) && len(fields) < maxSignatures {
			fields = append(fields, f)
		}
	}
	return fields
}

// libraryName returns the name of a field as go-msgauth reads it, also of one
// that is none by RFC 5322: what it takes for a signature or a From field must
// be one here too.
func libraryName(f field) string {
	name, _, _ := bytes.Cut(f.raw, []byte(":"))
	return string(bytes.TrimSpace(name))
}

// countFrom returns how many From fields there are, with those that there
// would be if a bare CR became a line end.
func countFrom(h *header) int {
	n := 0
	for _, f := range h.fields {
		for part := range f.parts() {
			if strings.EqualFold(libraryName(part), "From") {
				n++
			}
		}
	}
	return n
}

func judgeAll(signatures []Signature, letter Letter, reason string) {
	for i := range signatures {
		signatures[i].Letter, signatures[i].Reason = letter, reason
	}
}
