package qmaildkim

import (
	"bytes"
	"slices"
	"strings"

	"ucspi-go/internal/canon"
)

// A headerForm is what of a header one signature is made over.
type headerForm struct {
	algorithm canon.Algorithm
	names     []string      // of h=, in lower case
	fields    []signedField // that bear such a name, in message order
	signature []byte        // the signature's own field, as in the message

	lf          bool // lines are hashed with LF, not with CRLF
	lfSignature bool // those of the signature's field are
}

// A signedField is a field of a headerForm.
type signedField struct {
	name string // in lower case
	raw  []byte // as in the message
	form []byte // canonical
}

// title returns the name of the field as in the message.
func (f signedField) title() []byte {
	name, _, _ := bytes.Cut(f.raw, []byte(":"))
	return bytes.TrimSpace(name)
}

func newHeaderForm(h *header, signature field, names []string, a canon.Algorithm) headerForm {
	f := headerForm{algorithm: a, signature: signature.raw}
	signed := make(map[string]bool)
	for _, name := range names {
		name = strings.ToLower(name)
		f.names = append(f.names, name)
		signed[name] = true
	}
	for _, field := range h.fields {
		if name := strings.ToLower(libraryName(field)); signed[name] {
			f.fields = append(f.fields, f.field(name, field.raw))
		}
	}
	return f
}

func (f headerForm) field(name string, raw []byte) signedField {
	return signedField{name, raw, f.algorithm.Field(raw)}
}

// last returns the index of the last field of a name, -1 for none.
func (f headerForm) last(name string) int {
	for i, field := range slices.Backward(f.fields) {
		if field.name == name {
			return i
		}
	}
	return -1
}

// replace returns the form with another field at index i, or one more where
// that is the end.
func (f headerForm) replace(i int, raw []byte) headerForm {
	field := f.field("", raw)
	field.name = strings.ToLower(string(field.title()))
	fields := append(slices.Clone(f.fields), field)
	fields[i] = field
	f.fields = fields[:max(len(f.fields), i+1)]
	return f
}

// each returns the form with each of its fields changed, and canonical by its
// algorithm.
func (f headerForm) each(change func(raw []byte) []byte) headerForm {
	f.fields = slices.Clone(f.fields)
	for i, field := range f.fields {
		f.fields[i] = f.field(field.name, change(field.raw))
	}
	return f
}

// bytes appends the bytes that are hashed to b: the fields in the order of h=,
// of several with one name the last first, then the signature's own field
// (RFC 6376 sections 3.7 and 5.4.2).
func (f headerForm) bytes(b []byte) []byte {
	left := make(map[string][]int)
	for i, field := range f.fields {
		left[field.name] = append(left[field.name], i)
	}
	for _, name := range f.names {
		if at := left[name]; len(at) > 0 {
			b = append(b, f.fields[at[len(at)-1]].form...)
			left[name] = at[:len(at)-1]
		}
	}
	own := f.algorithm.Signature(f.signature)
	if f.lf {
		b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	}
	if f.lf || f.lfSignature {
		own = bytes.ReplaceAll(own, []byte("\r\n"), []byte("\n"))
	}
	return append(b, own...)
}

// hasBareCR reports whether there is a CR without LF in what is hashed.
func (f headerForm) hasBareCR() bool {
	var w crWatch
	w.Write(f.bytes(nil))
	return w.found()
}
