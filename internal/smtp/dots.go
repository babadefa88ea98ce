package smtp

import (
	"bufio"
	"bytes"
	"errors"
)

// ErrPartialLine is the error of a message whose last line has no end: SMTP
// cannot carry it.
var ErrPartialLine = errors.New("smtp: the last line has no end")

// A dotWriter writes a message as DATA carries it: lines that end in CR LF,
// with a second dot before a dot that begins one. LF, CR LF and a CR alone
// each end a line, so that what a server might take for a line end is one,
// and neither CR nor LF is ever sent alone. RFC 5321 sections 2.3.8, 4.5.2.
type dotWriter struct {
	w      *bufio.Writer
	inLine bool  // the line has begun
	wasCR  bool  // the last byte was a CR, whose LF has been written already
	err    error // the first one
}

var cr, lf, crlf = []byte("\r"), []byte("\n"), []byte("\r\n")

func (d *dotWriter) Write(p []byte) (int, error) {
	for rest, found := p, false; len(rest) > 0; {
		var line []byte
		if line, rest, found = bytes.Cut(rest, lf); len(line) > 0 {
			d.line(line)
		}
		switch {
		case !found:
		case d.wasCR:
			d.wasCR = false
		default:
			d.endLine()
		}
	}
	return len(p), d.err
}

// line writes bytes without LF.
func (d *dotWriter) line(text []byte) {
	for found := true; found; {
		var part []byte
		part, text, found = bytes.Cut(text, cr)
		if len(part) > 0 {
			if !d.inLine && part[0] == '.' {
				d.put(part[:1])
			}
			d.put(part)
			d.inLine, d.wasCR = true, false
		}
		if found {
			d.endLine()
			d.wasCR = true
		}
	}
}

func (d *dotWriter) endLine() {
	d.put(crlf)
	d.inLine = false
}

func (d *dotWriter) put(p []byte) {
	if _, err := d.w.Write(p); d.err == nil {
		d.err = err
	}
}

// Close writes the line that ends the message. The error is ErrPartialLine
// when the message cannot end here.
func (d *dotWriter) Close() error {
	if d.inLine {
		return ErrPartialLine
	}
	d.put([]byte(".\r\n"))
	return d.err
}
