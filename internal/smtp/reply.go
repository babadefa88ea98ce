package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// MaxReply is the length in bytes, all lines together, from which a reply is
// an error, so that a server can take neither all memory nor all time.
const MaxReply = 64 << 10

// ErrLongReply is the error of a reply of MaxReply bytes or more.
var ErrLongReply = errors.New("smtp: reply too long")

// A Reply is what a server says to the connection or to a command.
type Reply struct {
	Code int    // 200 to 599; 0 for words that are no reply of SMTP
	Text string // all lines with their codes, each with its LF; CRs are left out
}

// Positive reports whether the server did what it was asked.
func (r Reply) Positive() bool { return r.Code/100 == 2 }

// Permanent reports whether the server says no for good. What is neither
// positive nor permanent may be different the next time.
func (r Reply) Permanent() bool { return r.Code/100 == 5 }

// A Reader reads the replies of a server.
type Reader struct{ in *bufio.Reader }

// NewReader returns a Reader of r, from which it may read ahead.
func NewReader(r io.Reader) *Reader { return &Reader{bufio.NewReader(r)} }

// Read returns the next reply. Its code is that of the first line, as in
// qmail. A line without a code, or with one of another class than the first,
// ends the reply and makes its code 0. At the end of input the error is io.EOF,
// within a reply io.ErrUnexpectedEOF.
func (r *Reader) Read() (Reply, error) {
	var reply Reply
	var text []byte
	for left := MaxReply; ; {
		start := len(text)
		var err error
		if text, err = r.line(text, &left); err != nil {
			if err == io.EOF && left < MaxReply {
				err = io.ErrUnexpectedEOF
			}
			return Reply{}, err
		}
		code, more := parseLine(text[start : len(text)-1])
		switch {
		case start == 0:
			reply.Code = code
		case code/100 != reply.Code/100:
			reply.Code = 0
		}
		if !more || reply.Code == 0 {
			reply.Text = string(text)
			return reply, nil
		}
	}
}

// line appends a line to text, with its LF and without its CRs. Left is how
// many bytes may be read, and are left then.
func (r *Reader) line(text []byte, left *int) ([]byte, error) {
	for {
		piece, err := r.in.ReadSlice('\n')
		*left -= len(piece)
		for len(piece) > 0 {
			part, rest, _ := bytes.Cut(piece, cr)
			text, piece = append(text, part...), rest
		}
		switch {
		case err != nil && err != bufio.ErrBufferFull:
			return text, err
		case *left <= 0:
			return text, ErrLongReply
		case err == nil:
			return text, nil
		}
	}
}

// parseLine returns the code of a line without its end, and whether another
// line follows. RFC 5321 section 4.2.
func parseLine(line []byte) (code int, more bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' {
		return 0, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, false
		}
		code = code*10 + int(c-'0')
	}
	switch {
	case len(line) == 3 || line[3] == ' ':
		return code, false
	case line[3] == '-':
		return code, true
	}
	return 0, false
}

// early reports whether the server has said something that is not read yet.
func (r *Reader) early() bool { return r.in.Buffered() > 0 }
