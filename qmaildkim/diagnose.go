package qmaildkim

import (
	"encoding/base64"
	"io"
	"strconv"
	"strings"

	"ucspi-go/internal/canon"
	"ucspi-go/internal/spool"
)

const (
	maxDiagnosed  = 3        // failed signatures of a message, from the top
	maxHeaderWork = 96 << 20 // what the search for headers may cost, in bytes hashed
)

// A diagnosis looks for what would make the failed signatures of a message
// pass. It decides nothing: the letters are given before it. Its cost is
// bounded whatever the message.
type diagnosis struct {
	h     *header
	msg   *spool.Spool
	keys  *keyring
	work  int64 // what the search for headers may still cost
	asked bool  // for keys at other selectors
}

// A failure is a signature that failed.
type failure struct {
	signature *Signature
	algorithm string // of its key
	value     []byte // b=
	form      headerForm
	body      bodyWant

	alterations []alteration // of the header and the key, once they are found
}

// diagnose gives each signature that failed its hint, where there is one.
// Fields and tags are those of the signatures.
func diagnose(h *header, msg *spool.Spool, keys *keyring, fields []field, tags []tagList, signatures []Signature) {
	d := &diagnosis{h: h, msg: msg, keys: keys, work: maxHeaderWork}
	var failures []*failure
	for i := range signatures {
		if f, ok := newFailure(h, fields[i], tags[i], &signatures[i]); ok && len(failures) < maxDiagnosed {
			failures = append(failures, f)
		}
	}
	// The two halves are independent, since b= covers the text of bh=, and
	// bh= the body. The header's is the cheap one.
	var found []*failure
	for _, f := range failures {
		if d.header(f, signatures) {
			found = append(found, f)
		}
	}
	search := d.bodies(found)
	for _, f := range found {
		if !f.body.found {
			continue
		}
		all := append(f.alterations, f.body.alterations...)
		if len(all) == 0 && (f.form.hasBareCR() || search.traits != nil && search.traits.bareCR.found()) {
			all = []alteration{faultBareCR}
		}
		f.signature.Hint, f.signature.hint = hint(all)
	}
}

// newFailure prepares a signature. Ok is false for one that did not fail, or
// whose tags are beyond a diagnosis.
func newFailure(h *header, own field, tags tagList, s *Signature) (f *failure, ok bool) {
	switch s.Letter {
	case letterBad, letterBody, letterTesting, letterExtra:
	default:
		return nil, false
	}
	headerAlgorithm, bodyAlgorithm, ok := canon.Parse(tags.text("c"))
	value, err1 := base64.StdEncoding.DecodeString(tags.text("b"))
	sum, err2 := base64.StdEncoding.DecodeString(tags.text("bh"))
	length := int64(-1)
	var err3 error
	if l, set := tags["l"]; set {
		var n uint64
		n, err3 = strconv.ParseUint(stripSpace(l), 10, 63)
		length = int64(n)
	}
	if !ok || err1 != nil || err2 != nil || err3 != nil {
		return nil, false
	}
	algorithm, _, _ := strings.Cut(s.Algorithm, "-")
	return &failure{
		signature: s,
		algorithm: algorithm,
		value:     value,
		form:      newHeaderForm(h, own, tags.list("h"), headerAlgorithm),
		// Where the signature itself is bad, the library found the body right.
		body: bodyWant{algorithm: bodyAlgorithm, sum: sum, length: length, found: s.Letter == letterBad},
	}, true
}

// header looks for the header that a signature was made over, and for the key
// if it was made with another than that at its selector.
func (d *diagnosis) header(f *failure, signatures []Signature) bool {
	s := f.signature
	texts := d.keys.key(keyName(s.Selector, s.Domain)).texts
	if len(texts) != 1 {
		return false
	}
	if o, ok := open(publicKey(texts[0], f.algorithm), f.value); ok {
		if d.fits(f, o) {
			return true
		}
		if o.ed25519 == nil { // the key is the right one
			return false
		}
	}
	if d.asked {
		return false
	}
	d.asked = true
	var selectors []string
	for _, other := range signatures {
		if strings.EqualFold(asciiHost(other.Domain), asciiHost(s.Domain)) {
			selectors = append(selectors, other.Selector)
		}
	}
	for _, key := range d.keys.others(s.Domain, s.Selector, selectors) {
		if o, ok := open(publicKey(key.text, f.algorithm), f.value); ok && d.fits(f, o) {
			f.alterations = append([]alteration{wrongKey(key.selector)}, f.alterations...)
			return true
		}
	}
	return false
}

// fits looks for the header that an opened signature was made over.
func (d *diagnosis) fits(f *failure, o opened) bool {
	var form []byte
	for candidate, alterations := range f.form.candidates() {
		form = candidate.bytes(form[:0])
		if d.work -= o.cost(form); d.work < 0 {
			return false
		}
		if fault, ok := o.over(form); ok {
			f.alterations = append(alterations, fault...)
			return true
		}
	}
	return false
}

// bodies looks for the bodies that signatures were made over.
func (d *diagnosis) bodies(failures []*failure) *bodySearch {
	var wants []*bodyWant
	for _, f := range failures {
		wants = append(wants, &f.body)
	}
	size := d.msg.Size() - d.h.size
	search := &bodySearch{
		body: io.NewSectionReader(d.msg, d.h.size, size),
		size: size,
		mime: newMIMEFields(d.h),
		work: min(maxBodyWork, maxBodyPasses*size),
	}
	search.search(wants)
	return search
}
