package canon

import (
	"io"
	"slices"
)

// LineEnds says what ends a line of a body that is read. A mail queue has
// lines that end with LF and are sent with CRLF, so that the zero value is the
// rule; the others are what a signer may have taken for lines.
type LineEnds byte

const (
	AnyLF    LineEnds = iota // LF, with the CR before it where there is one
	OnlyCRLF                 // CRLF; a bare LF is text
	OnlyLF                   // LF; a CR before it is text
	AnyCR                    // CR, LF and CRLF
	SkipCR                   // LF; each CR is left out
)

// A Form is how a body is read and written.
type Form struct {
	Algorithm Algorithm
	Ends      LineEnds
	LF        bool // lines are written with LF, not with CRLF as RFC 6376 has it
}

// A Body writes the canonical form of the body that is written to it (RFC
// 6376 sections 3.4.3 and 3.4.4). It needs time linear in the body, and
// memory that does not depend on it.
type Body struct {
	w    io.Writer
	form Form
	end  string // of a line, as written

	out   []byte // not yet written to w
	blank int    // blank lines held back until text follows
	cr    bool   // a CR held back; under AnyCR one that has ended its line
	space bool   // relaxed: white space held back until text follows in the line
	text  bool   // the line has text
	any   bool   // some line has
	err   error  // of w, the first
}

// NewBody returns a Body that writes to w.
func NewBody(w io.Writer, form Form) *Body {
	b := &Body{w: w, form: form, end: "\r\n"}
	if form.LF {
		b.end = "\n"
	}
	return b
}

// piece bounds what is taken before the result is written on, in bytes.
const piece = 4 << 10

// Write takes the next bytes of the body.
func (b *Body) Write(p []byte) (int, error) {
	for part := range slices.Chunk(p, piece) {
		b.take(part)
		if len(b.out) >= piece {
			b.flush()
		}
	}
	return len(p), b.err
}

// Flush writes to w what is certain of the canonical form so far: behind a
// line that is not blank all of it, as if the body ended here.
func (b *Body) Flush() error {
	b.flush()
	return b.err
}

// Close ends the body and its canonical form. It does not close w.
func (b *Body) Close() error {
	b.release()
	if b.text {
		b.endLine()
	}
	if !b.any && b.form.Algorithm == Simple {
		b.out = append(b.out, b.end...)
	}
	b.flush()
	return b.err
}

// Fork returns a Body that goes on from here by itself and writes to w.
// Nothing must be waiting for Flush.
func (b *Body) Fork(w io.Writer) *Body {
	fork := *b
	fork.w, fork.out = w, nil
	return &fork
}

func (b *Body) flush() {
	if len(b.out) > 0 && b.err == nil {
		_, b.err = b.w.Write(b.out)
	}
	b.out = b.out[:0]
}

func (b *Body) take(p []byte) {
	relaxed, lfEnds := b.form.Algorithm == Relaxed, b.form.Ends != OnlyCRLF
	out := slices.Grow(b.out, 2*len(p))
	for len(p) > 0 {
		c := p[0]
		if c == '\n' || c == '\r' || relaxed && (c == ' ' || c == '\t') || b.blank > 0 || b.space || b.cr {
			b.out = out
			b.takeOne(c)
			p = p[1:]
			out = slices.Grow(b.out, 2*len(p))
			continue
		}
		n := len(out)
		if relaxed {
			p, n = b.relaxedText(out[n:cap(out)], p)
		} else {
			p, n = simpleText(out[n:cap(out)], p)
		}
		out = out[:len(out)+n]
		b.text = true
		if lfEnds && len(p) > 0 && p[0] == '\n' {
			out = append(out, b.end...)
			b.text, b.space = false, false
			p = p[1:]
		}
	}
	b.any = b.any || len(out) > 0
	b.out = out
}

// simpleText copies text of a line to at and returns what follows it.
func simpleText(at, p []byte) (rest []byte, n int) {
	at = at[:len(p)]
	for i, c := range p {
		if c == '\n' || c == '\r' {
			return p[i:], i
		}
		at[i] = c
	}
	return nil, len(p)
}

// relaxedText is simpleText for text that does not begin with white space.
// Each run of white space is copied as one space, at its beginning; one that
// the text ends with is then taken back.
func (b *Body) relaxedText(at, p []byte) (rest []byte, n int) {
	last := byte(0)
	for i, c := range p {
		if c == '\n' || c == '\r' {
			rest = p[i:]
			break
		}
		c = blankAsSpace[c]
		at[n] = c
		if c != ' ' || last != ' ' {
			n++
		}
		last = c
	}
	if last == ' ' {
		b.space = true
		n--
	}
	return rest, n
}

// takeOne takes a byte that is not simply text, or before which something was
// held back.
func (b *Body) takeOne(c byte) {
	switch {
	case c == '\n':
		b.lf()
	case c == '\r':
		b.carriageReturn()
	case b.form.Algorithm == Relaxed && (c == ' ' || c == '\t'):
		b.release()
		b.space = true
	default:
		b.startText()
		b.out = append(b.out, c)
	}
}

// blankAsSpace has each byte as it stands in relaxed text.
var blankAsSpace = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	t['\t'] = ' '
	return t
}()

func (b *Body) lf() {
	switch {
	case b.form.Ends == OnlyCRLF && !b.cr:
		b.startText()
		b.out = append(b.out, '\n')
		return
	case b.form.Ends == AnyCR && b.cr: // that line has ended
	default:
		b.endLine()
	}
	b.cr = false
}

func (b *Body) carriageReturn() {
	switch b.form.Ends {
	case SkipCR:
		return
	case OnlyLF:
		b.startText()
		b.out = append(b.out, '\r')
		return
	case AnyCR:
		b.endLine()
	default:
		b.release()
	}
	b.cr = true
}

// release lets go of a CR that turned out not to stand before LF.
func (b *Body) release() {
	if !b.cr {
		return
	}
	b.cr = false
	if b.form.Ends != AnyCR {
		b.startText()
		b.out = append(b.out, '\r')
	}
}

// startText writes what was held back, now that text follows.
func (b *Body) startText() {
	b.release()
	for ; b.blank > 0; b.blank-- {
		b.out = append(b.out, b.end...)
		if len(b.out) >= piece {
			b.flush()
		}
	}
	if b.space {
		b.space = false
		b.out = append(b.out, ' ')
	}
	b.text, b.any = true, true
}

func (b *Body) endLine() {
	b.space = false
	if !b.text {
		b.blank++
		return
	}
	b.text = false
	b.out = append(b.out, b.end...)
}
