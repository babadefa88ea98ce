package qmaildkim

import (
	"io"

	"ucspi-go/internal/canon"
)

const (
	// Limits of what the search for a body costs: passes over it, and bytes
	// read in them. Of 25 MiB there are five passes, of more fewer or none.
	maxBodyPasses = 16
	maxBodyWork   = 128 << 20
)

// A bodyWant is what the body of a message should be by one signature.
type bodyWant struct {
	algorithm canon.Algorithm
	sum       []byte // bh=
	length    int64  // l=, negative for none

	found       bool
	alterations []alteration // what has to be undone for it
}

// A bodySearch looks for the body that signatures were made over.
type bodySearch struct {
	body io.ReaderAt
	size int64
	mime mimeFields
	work int64 // bytes that may still be read

	traits  *traits                       // nil before the first try
	encoded struct{ quoted, base64 bool } // known after the first that undoes encodings
	err     error                         // of reading the body
}

// search fills in the wants for which there is a body.
func (s *bodySearch) search(wants []*bodyWant) {
	for _, v := range bodyVariants {
		for _, a := range []canon.Algorithm{canon.Simple, canon.Relaxed} {
			var open []*bodyWant
			for _, w := range wants {
				if !w.found && w.algorithm == a {
					open = append(open, w)
				}
			}
			if len(open) == 0 || v.when != nil && !v.when(s, a) {
				continue
			}
			if s.work -= s.size * v.cost; s.work < 0 || s.err != nil {
				return
			}
			s.try(v, a, open)
		}
	}
}

// try hashes the body once, as v has it, and compares.
func (s *bodySearch) try(v bodyVariant, a canon.Algorithm, wants []*bodyWant) {
	t := newBodyTry(s, v, a, wants)
	var w io.Writer = t.w
	first := s.traits == nil
	if first {
		s.traits = new(traits)
		w = io.MultiWriter(w, s.traits)
	}
	head := max(0, s.size-maxFooter)
	if _, s.err = io.Copy(w, io.NewSectionReader(s.body, 0, head)); s.err != nil {
		return
	}
	tail := make([]byte, s.size-head)
	if _, s.err = io.ReadFull(io.NewSectionReader(s.body, head, s.size-head), tail); s.err != nil {
		return
	}
	if first {
		s.traits.Write(tail)
	}
	t.tail(tail, head == 0)
}
