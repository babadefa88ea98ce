package qmaildkim

import (
	"bytes"
	"iter"
	"slices"

	"ucspi-go/internal/canon"
)

// A headerEdit undoes one alteration of a header.
type headerEdit struct {
	alteration alteration
	apply      func(headerForm) headerForm
}

// maxFieldEdits is how many of the signed fields are edited one by one.
const maxFieldEdits = 64

// candidates yields the headers that a signature may have been made over, with
// what has to be undone for each, the likeliest first: the header as it is,
// with one alteration undone, and with a tag of the subject and one other.
func (f headerForm) candidates() iter.Seq2[headerForm, []alteration] {
	return func(yield func(headerForm, []alteration) bool) {
		if !yield(f, nil) {
			return
		}
		subjects := f.subjectEdits()
		for _, s := range subjects {
			if !yield(s.apply(f), []alteration{s.alteration}) {
				return
			}
		}
		for _, e := range slices.Concat(f.encodingEdits(), f.removals(), formEdits, f.foldEdits()) {
			if !yield(e.apply(f), []alteration{e.alteration}) {
				return
			}
			for _, s := range subjects {
				if !yield(e.apply(s.apply(f)), []alteration{s.alteration, e.alteration}) {
					return
				}
			}
		}
	}
}

// subjectEdits returns the ways to take a tag out of the subject.
func (f headerForm) subjectEdits() (edits []headerEdit) {
	i := f.last("subject")
	if i < 0 {
		return nil
	}
	name, value, _ := bytes.Cut(f.fields[i].raw, []byte(":"))
	for _, s := range untagged(value) {
		raw := slices.Concat(name, []byte(":"), s.value)
		edits = append(edits, headerEdit{
			alteration{"subject-tag", "with Subject " + s.how, "a tag was put into the subject"},
			func(f headerForm) headerForm { return f.replace(i, raw) },
		})
	}
	return edits
}

// encodings are what Content-Transfer-Encoding may have been before a relay
// encoded the body.
var encodings = []string{"8bit", "7bit", "quoted-printable", "base64"}

// encodingEdits returns the header with other values of
// Content-Transfer-Encoding.
func (f headerForm) encodingEdits() (edits []headerEdit) {
	name := []byte("Content-Transfer-Encoding")
	if !slices.Contains(f.names, string(bytes.ToLower(name))) {
		return nil
	}
	i := f.last(string(bytes.ToLower(name)))
	if i < 0 {
		i = len(f.fields)
	} else {
		name = f.fields[i].title()
	}
	for _, encoding := range encodings {
		raw := slices.Concat(name, []byte(": "), []byte(encoding), []byte("\n"))
		edits = append(edits, headerEdit{
			alteration{"reencoded", "with Content-Transfer-Encoding " + encoding, "Content-Transfer-Encoding was changed"},
			func(f headerForm) headerForm { return f.replace(i, raw) },
		})
	}
	return edits
}

// removals returns the header without one of its fields.
func (f headerForm) removals() (edits []headerEdit) {
	for i, field := range f.fields[:min(len(f.fields), maxFieldEdits)] {
		edits = append(edits, headerEdit{
			alteration{"added-field", "without the field " + quote(field.title()), "a field was added"},
			func(f headerForm) headerForm {
				f.fields = slices.Delete(slices.Clone(f.fields), i, i+1)
				return f
			},
		})
	}
	return edits
}

// formEdits are what a signer may have hashed instead of what RFC 6376 asks
// for.
var formEdits = []headerEdit{
	{
		alteration{"wrong-c", "with the other header canonicalization", "the signer hashed otherwise than c= says"},
		func(f headerForm) headerForm {
			f.algorithm = canon.Relaxed - f.algorithm
			return f.each(func(raw []byte) []byte { return raw })
		},
	}, {
		alteration{"lf", "with LF for line ends", "the signer hashed lines as they lie on its disk"},
		func(f headerForm) headerForm { f.lf = true; return f },
	}, {
		alteration{"lf", "with LF in the folds of DKIM-Signature", "libdkim signed with a simple header"},
		func(f headerForm) headerForm { f.lfSignature = true; return f },
	},
}
