package qmaildkim

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim/keys"

	"github.com/emersion/go-msgauth/dkim"
)

// A job is a message that is being signed while it is read.
type job struct {
	report  *Report
	signers []*signer // one for each signature, the first key's first; none for an unsigned message
	refusal *Refusal  // why the message must not go on; nil when it may

	preflight preflight
}

// A signer makes one signature.
type signer struct {
	*dkim.Signer
	simpleHeader bool
}

// prepare decides by the header how the message is signed and gives the
// signers their part of it. In report it says why if there are none.
func (f *Filter) prepare(h *header, report *Report) *job {
	j := &job{report: report}
	domain, reason, err := f.signingDomain(h, report)
	if err == nil && reason == "" {
		report.Domain = domain
		reason, err = f.prepareFor(j, h, domain)
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		j.abandon()
		j.refusal = refusal
	}
	report.Reason = reason
	return j
}

// signingDomain returns d=: DKIMDOMAIN, or the author's domain. Reason is why
// there is none.
func (f *Filter) signingDomain(h *header, report *Report) (domain, reason string, err error) {
	if h.fault != "" {
		return "", h.fault, nil
	}
	report.From, reason = author(h)
	if f.Config.domain == "" {
		return report.From, reason, nil
	}
	if reason == NoFrom || reason == SeveralFrom {
		return "", reason, nil
	}
	text := f.Config.domain
	domain, ok := keys.Domain(text[strings.LastIndexByte(text, '@')+1:])
	if !ok {
		return "", "", refuseDomain
	}
	return domain, "", nil
}

// author returns the domain of the message's author, or why there is none.
func author(h *header) (domain, reason string) {
	var from []string
	for _, f := range h.fields {
		if strings.EqualFold(f.name, "From") {
			from = append(from, string(f.value()))
		}
	}
	return AuthorDomain(from)
}

// prepareFor finds the keys for a domain and starts their signers. Reason is
// why the message is not signed; the error is a *Refusal.
func (f *Filter) prepareFor(j *job, h *header, domain string) (reason string, err error) {
	s, err := f.signingOf(domain, j.report)
	if err != nil {
		return "", err
	}
	j.report.Pattern = s.key
	if s.key == "" {
		return reasonOff, nil
	}
	store := keys.Store{Home: f.Config.Home, Control: f.Config.Control, Selector: f.Config.Selector, Watch: j.report.tryKey}
	first, err := store.Find(s.key, domain)
	if missing := (*keys.NoKeyError)(nil); errors.As(err, &missing) {
		j.report.Tried = missing.Tried
		if !strings.Contains(s.key, "%") {
			return "", &Refusal{Code: int(qmail.NoKey), Reason: reasonNoKey, Path: s.key}
		}
		return reasonNoKey, nil
	}
	if err != nil {
		return "", refuseKey(err)
	}
	j.preflight = s.preflight
	if s.preflightTypo {
		j.report.ignore(envPreflight)
	}
	second, err := f.secondKey(store, s, first, domain, j.report)
	if err != nil {
		return "", refuseKey(err)
	}
	if err := j.start(h, domain, first, s.options, s.exclude); err != nil {
		return "", err
	}
	if second == nil {
		return "", nil
	}
	return "", j.start(h, domain, second, s.extra, s.exclude)
}

// refuseKey returns the refusal for a key that cannot be used. The log names
// the file and the cause; the client hears neither.
func refuseKey(err error) *Refusal {
	r := temporary("bad-key", "unable to read private key. (#4.3.0)")
	var fault *keys.FaultError
	if errors.As(err, &fault) {
		r.Path, r.Cause = fault.Path, fault.Err
	}
	return r
}

// signingOf returns how messages of a domain are signed: as configured, or as
// its line in control/dkimkeys says, which it tells in report. The error is a
// *Refusal.
func (f *Filter) signingOf(domain string, report *Report) (signing, error) {
	lines, err := f.Config.keysLines()
	if err != nil {
		return signing{}, refuseKeysFile.because(err)
	}
	line, found, err := findKeysLine(lines, domain)
	report.KeysLine = line.text
	if err != nil {
		return signing{}, refuseKeysFile.because(err)
	}
	if !found {
		return f.Config.signing, nil
	}
	if line.path == "" {
		return signing{}, nil
	}
	return signingFrom(f.Config.environ.With(line.settings...), line.path)
}

// secondKey returns the key for a second signature, nil for none: that of
// DKIMSIGNEXTRA, else one beside the first. It never makes two signatures with
// the same d= and s=.
func (f *Filter) secondKey(store keys.Store, s signing, first *keys.Key, domain string, report *Report) (*keys.Key, error) {
	if s.extraKey == "" {
		return store.Second(first)
	}
	store.Selector = "" // is the first one's
	key, err := store.Find(s.extraKey, domain)
	if errors.Is(err, keys.ErrNoKey) {
		report.warn("no-extra-key")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(key.Selector, first.Selector) { // as the DNS compares them
		report.warn("same-selector")
		return nil, nil
	}
	return key, nil
}

// start begins a signature and gives it the header. The error is a *Refusal.
func (j *job) start(h *header, domain string, key *keys.Key, o options, exclude []string) error {
	list, fields, full := headerList(h, exclude)
	if full {
		j.report.warn("header-list")
	}
	if o.simpleHeader && slices.ContainsFunc(fields, func(f field) bool { return f.lines > maxFieldLines }) {
		// The library's time is quadratic in the lines of a field. Relaxed
		// fields can be unfolded for it, simple ones cannot.
		o.simpleHeader = false
		j.report.warn("relaxed-header")
	}
	s, err := newSigner(domain, key, o, list, j.report)
	if err != nil {
		return refuseSigner
	}
	j.signers = append(j.signers, s)
	j.report.Signed = append(j.report.Signed, Signed{domain, key.Selector, key.Algorithm, key.Path, key.Signer.Public()})
	j.report.warn(key.Warn)
	if _, err := s.Write(libraryFields(fields, o.simpleHeader)); err != nil {
		return refuseSigner
	}
	return nil
}

func newSigner(domain string, key *keys.Key, o options, list []string, report *Report) (*signer, error) {
	d := &dkim.SignOptions{
		Domain:                 domain,
		Selector:               key.Selector,
		Signer:                 key.Signer,
		HeaderKeys:             list,
		HeaderCanonicalization: canonicalization(o.simpleHeader),
		BodyCanonicalization:   canonicalization(o.simpleBody),
	}
	for _, word := range o.ignored {
		report.ignore(word)
	}
	if o.ed25519 && key.Algorithm != "ed25519-sha256" {
		report.ignore("-z")
	}
	if o.identity != "" {
		var ok bool
		if d.Identifier, ok = identity(o.identity, domain); !ok {
			report.ignore("-i")
		}
	}
	if o.query {
		d.QueryMethods = []dkim.QueryMethod{dkim.QueryMethodDNSTXT}
	}
	if o.expire > 0 {
		d.Expiration = time.Now().Add(o.expire)
	}
	s, err := dkim.NewSigner(d)
	if err != nil {
		return nil, err
	}
	return &signer{s, o.simpleHeader}, nil
}

func canonicalization(simple bool) dkim.Canonicalization {
	if simple {
		return dkim.CanonicalizationSimple
	}
	return dkim.CanonicalizationRelaxed
}

// libraryFields returns the fields as go-msgauth gets them, closed by a blank
// line. For relaxed canonicalization each is unfolded, which makes no
// difference to the signature but much to the library's time.
func libraryFields(fields []field, simple bool) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		if simple {
			b.Write(f.raw)
			if !bytes.HasSuffix(f.raw, []byte("\n")) {
				b.WriteByte('\n')
			}
			continue
		}
		for line := range bytes.Lines(f.raw) {
			line, ended := bytes.CutSuffix(line, []byte("\n"))
			if ended {
				line = bytes.TrimSuffix(line, []byte("\r"))
			}
			b.Write(line)
		}
		b.WriteString("\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// feed gives the signers the body. It reads at least as far as it can sign.
// The error is that of body.
func (j *job) feed(body io.Reader) error {
	if len(j.signers) == 0 {
		return nil
	}
	b := &bodyReader{r: body}
	buf := make([]byte, 32<<10)
	for {
		n, err := b.Read(buf)
		for _, s := range j.signers {
			if _, err := s.Write(buf[:n]); err != nil {
				j.abandon()
				j.refusal = refuseSigner
				return nil
			}
		}
		if err != nil {
			break
		}
	}
	if b.long {
		j.abandon()
		j.report.Reason = reasonBlankLines
	}
	return b.err
}

// abandon ends the signers that have not finished, without signatures.
func (j *job) abandon() {
	if len(j.signers) == 0 {
		return
	}
	for _, s := range j.signers {
		s.Close()
	}
	j.signers = nil
	j.report.Signed = nil
}

// drop ends one signer without its signature.
func (j *job) drop(i int) {
	j.signers[i].Close()
	j.signers = slices.Delete(j.signers, i, i+1)
	j.report.LeftOut = append(j.report.LeftOut, j.report.Signed[i])
	j.report.Signed = slices.Delete(j.report.Signed, i, i+1)
}

// finish returns the signature fields, the last key's on top, with LF line
// ends, which qmail-remote turns into the CRLF that was signed. The error is
// a *Refusal.
func (j *job) finish() (fields string, err error) {
	for _, s := range j.signers {
		if err := s.Close(); err != nil {
			return "", refuseSigner
		}
		fields = strings.ReplaceAll(s.Signature(), "\r\n", "\n") + fields
	}
	j.signers = nil
	return fields, nil
}
