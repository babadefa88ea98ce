package qmaildkim

import (
	"bytes"
	"fmt"
	"io"
)

// Limits of verifying. Beyond them go-msgauth v0.7.0 needs more than linear
// time or unbounded memory, so that it is not asked. They are far from what
// real mail has.
const (
	maxSignatures   = 10        // judged, from the top
	maxVerifyHeader = 256 << 10 // bytes
	maxVerifyFields = 1000
	maxFieldLines   = 1000    // of one folded field
	maxSignedNames  = 500     // in h=
	maxBlankRun     = 1 << 17 // bytes of line ends without text between them
)

// fence returns why a header is not given to go-msgauth, "" when it is.
func fence(h *header) string {
	switch {
	case h.size > maxVerifyHeader:
		return fmt.Sprintf("header larger than %d bytes", maxVerifyHeader)
	case len(h.fields) > maxVerifyFields:
		return fmt.Sprintf("more than %d header fields", maxVerifyFields)
	}
	for _, f := range h.fields {
		if f.lines > maxFieldLines {
			return fmt.Sprintf("header field of more than %d lines", maxFieldLines)
		}
	}
	return ""
}

// A bodyReader reads a message body for go-msgauth. It holds back line ends
// until text follows and drops those at the end, which both canonicalizations
// ignore: the library is quadratic in them under one and keeps them all in
// memory under the other. Held-back line ends come out as CRLF.
type bodyReader struct {
	r     io.Reader
	buf   [32 << 10]byte
	out   []byte // to be read before more is taken from r
	ends  int    // line ends held back
	cr    bool   // a CR held back, which may begin a line end
	blank int    // bytes of line ends passed on since the last text
	done  bool
	long  bool  // stopped because of a run of more than maxBlankRun
	err   error // of r
}

func (b *bodyReader) Read(p []byte) (int, error) {
	for len(b.out) == 0 {
		if b.done {
			return 0, io.EOF
		}
		b.fill()
	}
	n := copy(p, b.out)
	b.out = b.out[n:]
	return n, nil
}

// fill reads the next part of the body.
func (b *bodyReader) fill() {
	held := 0
	if b.cr {
		b.buf[0] = '\r'
		held = 1
	}
	n, err := b.r.Read(b.buf[held:])
	part := b.buf[:held+n]
	if err != nil {
		b.done = true
		if err != io.EOF {
			b.err = err
		}
	}
	b.cr = !b.done && len(part) > 0 && part[len(part)-1] == '\r'
	if b.cr {
		part = part[:len(part)-1]
	}
	text, ends := cutLineEnds(part)
	if len(text) == 0 {
		b.ends += ends
		return
	}
	b.pass(text)
	b.ends = ends
}

// pass puts the held-back line ends and text into out, or stops when the run
// of blank lines is too long.
func (b *bodyReader) pass(text []byte) {
	lead := text[:len(text)-len(bytes.TrimLeft(text, " \t\r\n"))]
	b.blank += 2*b.ends + lineEnds(lead)
	if b.blank > maxBlankRun {
		b.done, b.long = true, true
		return
	}
	if len(lead) < len(text) {
		b.blank = lineEnds(text[len(bytes.TrimRight(text, " \t\r\n")):])
	}
	b.out = text
	if b.ends > 0 {
		b.out = append(bytes.Repeat([]byte("\r\n"), b.ends), text...)
	}
}

// cutLineEnds returns b without the line ends, LF or CRLF, that it ends with,
// and their number.
func cutLineEnds(b []byte) (text []byte, n int) {
	for len(b) > 0 && b[len(b)-1] == '\n' {
		b = bytes.TrimSuffix(b[:len(b)-1], []byte("\r"))
		n++
	}
	return b, n
}

// lineEnds counts the bytes that go-msgauth takes for parts of line ends.
func lineEnds(b []byte) int { return bytes.Count(b, []byte("\n")) + bytes.Count(b, []byte("\r")) }
