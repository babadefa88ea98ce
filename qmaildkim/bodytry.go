package qmaildkim

import (
	"bytes"
	"io"
	"slices"

	"ucspi-go/internal/canon"
)

// Limits of what is tried as a footer, at the end of a body.
const (
	maxFooter      = 64 << 10 // bytes
	maxFooterLines = 500
	maxFooterParts = 32 // of a multipart body
)

// A bodyTry is a body being hashed. Its writers do not fail.
type bodyTry struct {
	variant  bodyVariant
	wants    []*bodyWant
	boundary string

	hash *bodySum
	body *canon.Body    // to hash
	w    io.WriteCloser // to body
}

func newBodyTry(s *bodySearch, v bodyVariant, a canon.Algorithm, wants []*bodyWant) *bodyTry {
	t := &bodyTry{variant: v, wants: wants}
	var lengths []int64
	for _, w := range wants {
		if w.length >= 0 {
			lengths = append(lengths, w.length)
		}
	}
	form := v.form
	form.Algorithm = a
	if v.other {
		form.Algorithm = canon.Relaxed - a
	}
	if v.plain {
		t.boundary = s.mime.boundary()
	}
	t.hash = newBodySum(lengths)
	t.body = canon.NewBody(t.hash, form)
	t.w = nopCloser{t.body}
	if v.filter != nil {
		t.w = v.filter(s, t.body)
	}
	return t
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// tail takes the end of the body, of which the beginning was written; first
// says that it is the whole body. It compares behind each line, because what
// follows may be a footer.
func (t *bodyTry) tail(tail []byte, first bool) {
	text := bytes.TrimRight(tail, "\r\n")
	lines := slices.Collect(bytes.Lines(text))
	parts := 0
	for _, line := range lines {
		if t.delimits(line) {
			parts++
		}
	}
	if first && len(lines) > 0 && len(lines) <= maxFooterLines {
		t.compare(t.sumWith(""), footer(len(lines)))
	}
	known := t.hash.n
	for i, line := range lines {
		if t.delimits(line) {
			if parts--; parts < maxFooterParts {
				t.compare(t.sumWith(string(bytes.TrimRight(line, "\r\n"))+"--\n"), footerParts(parts+1))
			}
		}
		t.w.Write(line)
		left := len(lines) - 1 - i
		if left == 0 || left > maxFooterLines {
			continue
		}
		if t.body.Flush(); t.hash.n != known {
			known = t.hash.n
			t.compare(t.hash.Sum(nil), footer(left))
		}
	}
	t.w.Write(tail[len(text):])
	t.w.Close()
	t.body.Close()
	t.compareWhole()
}

// delimits reports whether a part of a multipart body begins with the line
// behind this one.
func (t *bodyTry) delimits(line []byte) bool {
	return t.boundary != "" && string(bytes.TrimRight(line, "\r\n")) == "--"+t.boundary
}

// sumWith returns the hash of the body if it ended here with text.
func (t *bodyTry) sumWith(text string) []byte {
	t.body.Flush()
	hash := t.hash.fork()
	body := t.body.Fork(hash)
	io.WriteString(body, text)
	body.Close()
	return hash.Sum(nil)
}

// compare fills in the wants that have no length and are for a body with this
// hash, from which a footer was left out.
func (t *bodyTry) compare(sum []byte, footer alteration) {
	for _, w := range t.wants {
		if w.length < 0 && bytes.Equal(sum, w.sum) {
			t.fill(w, footer)
		}
	}
}

// compareWhole compares with the whole body, which has been written.
func (t *bodyTry) compareWhole() {
	sum := t.hash.Sum(nil)
	for _, w := range t.wants {
		if w.length < 0 && bytes.Equal(sum, w.sum) {
			t.fill(w)
		}
		for _, s := range t.hash.starts {
			if s.n == w.length && s.sum != nil && bytes.Equal(s.sum, w.sum) {
				t.fill(w, beyondLength(t.hash.n-w.length))
			}
		}
	}
}

func (t *bodyTry) fill(w *bodyWant, footer ...alteration) {
	w.found, w.alterations = true, footer
	if t.variant.alteration.word != "" {
		w.alterations = append([]alteration{t.variant.alteration}, footer...)
	}
}
