// Package transfer undoes the transfer encodings of message bodies (RFC 2045
// section 6), so that a body is again what it was before a relay encoded it.
package transfer

import (
	"bytes"
	"io"
	"strings"
)

// An Undo says which encodings are undone.
type Undo struct {
	Quoted bool   // quoted-printable
	Base64 bool   // base64 where it holds text: relays do not encode the rest
	Label  string // encoding that the header of a decoded part then names
}

// Limits. What is beyond them passes unchanged.
const (
	maxLine  = 2 << 10 // bytes of a line that may have a meaning
	maxHead  = 8 << 10 // bytes of the header of a part
	maxDepth = 8       // multiparts in one another
)

// A Writer writes the body that is written to it with its encodings undone:
// those of a body that is one part, and of the parts of a multipart body. It
// needs time linear in the body and memory that does not depend on it.
type Writer struct {
	w    io.Writer
	undo Undo

	bounds []string // of the multiparts that are open, the outermost first
	state  state
	held   []byte // the beginning of a line
	inLine bool   // the beginning of a line has passed
	head   []byte // of the header of a part
	soft   bool   // the last line written has no end yet
	bits   quantum
	found  Undo
	out    []byte // not yet written to w
	err    error  // of w, the first
}

// A state is what the lines of a body are.
type state byte

const (
	textLines state = iota // to be passed on
	headLines
	quotedLines
	base64Lines
	otherLines // beyond the limits: all that follows is passed on
)

// NewWriter returns a Writer to w for a body whose message has these
// Content-Type and Content-Transfer-Encoding, both empty for none.
func NewWriter(w io.Writer, contentType, encoding string, undo Undo) *Writer {
	t := &Writer{w: w, undo: undo}
	t.state = t.enter(contentType, encoding)
	return t
}

// Found returns which encodings there are that could be undone, as far as the
// body was written.
func (t *Writer) Found() (quoted, base64 bool) { return t.found.Quoted, t.found.Base64 }

// Write takes the next bytes of the body.
func (t *Writer) Write(p []byte) (int, error) {
	t.take(p)
	t.flush()
	return len(p), t.err
}

func (t *Writer) take(p []byte) {
	for rest := p; len(rest) > 0; {
		if n := t.run(rest); n > 0 {
			t.pass(rest[:n])
			t.inLine = rest[n-1] != '\n'
			rest = rest[n:]
			continue
		}
		n := bytes.IndexByte(rest, '\n') + 1
		switch {
		case n == 0 && len(t.held)+len(rest) <= maxLine:
			t.held = append(t.held, rest...)
			return
		case n == 0 || len(t.held)+n > maxLine:
			t.long()
		case len(t.held) > 0:
			t.held = append(t.held, rest[:n]...)
			t.line(t.held)
			t.held = t.held[:0]
			rest = rest[n:]
		default:
			t.line(rest[:n])
			rest = rest[n:]
		}
	}
}

// Close ends the body. It does not close the underlying writer.
func (t *Writer) Close() error {
	if len(t.held) > 0 {
		t.line(t.held)
	}
	t.pass(t.head)
	t.held, t.head = nil, nil
	t.flush()
	return t.err
}

// run returns how much of p passes unseen: all but lines that may be
// delimiters.
func (t *Writer) run(p []byte) int {
	if t.state == otherLines || t.state == textLines && len(t.bounds) == 0 {
		return len(p)
	}
	if len(t.held) > 0 || t.state != textLines {
		return 0
	}
	if !t.inLine && p[0] == '-' {
		return 0
	}
	if n := bytes.Index(p, []byte("\n-")); n >= 0 {
		return n + 1
	}
	return len(p)
}

// long goes on after the beginning of a line that is too long.
func (t *Writer) long() {
	t.pass(t.head)
	t.pass(t.held)
	t.inLine = true
	t.head, t.held = nil, t.held[:0]
	if t.state != textLines {
		t.state = otherLines
	}
}

// line takes a line, which has no end only at the end of the body.
func (t *Writer) line(line []byte) {
	if t.delimiter(line) {
		return
	}
	switch t.state {
	case headLines:
		t.head = append(t.head, line...)
		switch {
		case len(t.head) > maxHead:
			t.pass(t.head)
			t.head, t.state = nil, otherLines
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			t.part()
		}
	case quotedLines:
		t.decodeQuoted(line)
	case base64Lines:
		t.decodeBase64(line)
	default:
		t.pass(line)
	}
}

// delimiter takes a line that ends a part, and reports whether it does.
func (t *Writer) delimiter(line []byte) bool {
	if len(line) < len("--") || line[0] != '-' || line[1] != '-' {
		return false
	}
	name := bytes.TrimRight(line[len("--"):], " \t\r\n")
	for i := len(t.bounds) - 1; i >= 0; i-- {
		rest, ok := strings.CutPrefix(string(name), t.bounds[i])
		if !ok || rest != "" && rest != "--" {
			continue
		}
		t.pass(t.head)
		if t.state == base64Lines || t.state == quotedLines && t.soft {
			// The line end before a delimiter belongs to that.
			t.pass([]byte("\n"))
		}
		t.pass(line)
		t.head, t.soft = nil, false
		t.bounds, t.state = t.bounds[:i+1], headLines
		if rest != "" {
			t.bounds, t.state = t.bounds[:i], textLines
		}
		return true
	}
	return false
}

// part ends the header of a part.
func (t *Writer) part() {
	contentType, _ := field(t.head, "Content-Type")
	encoding, at := field(t.head, "Content-Transfer-Encoding")
	t.state = t.enter(contentType, encoding)
	if t.state == quotedLines || t.state == base64Lines {
		head := append(t.head[:at:at], t.undo.Label...)
		t.head = append(head, t.head[at+len(encoding):]...)
	}
	t.pass(t.head)
	t.head = nil
}

// enter returns what the lines of a part, or of the body, are.
func (t *Writer) enter(contentType, encoding string) state {
	kind, boundary := mediaType(contentType)
	switch {
	case boundary != "":
		if len(t.bounds) < maxDepth {
			t.bounds = append(t.bounds, boundary)
		}
	case strings.HasPrefix(kind, "multipart/"):
	case strings.EqualFold(encoding, "quoted-printable"):
		t.found.Quoted = true
		if t.undo.Quoted {
			return quotedLines
		}
	case strings.EqualFold(encoding, "base64") && (kind == "" || strings.HasPrefix(kind, "text/")):
		t.found.Base64 = true
		if t.undo.Base64 {
			t.bits = quantum{}
			return base64Lines
		}
	}
	return textLines
}

// maxOut bounds the lines that are written at a time, in bytes.
const maxOut = 4 << 10

func (t *Writer) pass(p []byte) {
	if len(t.out)+len(p) <= maxOut {
		t.out = append(t.out, p...)
		return
	}
	t.flush()
	t.write(p)
}

func (t *Writer) passByte(c byte) {
	if len(t.out) >= maxOut {
		t.flush()
	}
	t.out = append(t.out, c)
}

func (t *Writer) flush() {
	t.write(t.out)
	t.out = t.out[:0]
}

func (t *Writer) write(p []byte) {
	if len(p) > 0 && t.err == nil {
		_, t.err = t.w.Write(p)
	}
}
