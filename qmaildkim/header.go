package qmaildkim

import (
	"bytes"
	"io"

	"ucspi-go/internal/spool"
)

// Limits of a header that is signed or verified. They hold memory, and the
// time of a library that is slower than linear in some of these, within
// bounds; they are far above what mail programs write.
const (
	maxHeader = 512 << 10 // bytes
	maxFields = 10000
)

// Faults of a header, as the log names them.
const (
	faultSyntax = "bad-header"   // not RFC 5322: mbox "From " line, line without colon, ...
	faultLimit  = "header-limit" // beyond maxHeader or maxFields
)

// A header is the header of a message, split into its fields.
type header struct {
	fields []field // in message order, the faulty ones included
	size   int64   // bytes up to and including the blank line; all that was read where there is none
	closed bool    // the blank line was seen
	fault  string  // why it can be neither signed nor verified, one of the faults above; empty for none
	over   bool    // fault is faultLimit: fields are only the first part
}

// A field is one header field of a message, not unfolded.
type field struct {
	name  string // as typed, without trailing blanks; empty where the line is no field
	raw   []byte // name, colon, value and line ends, as in the message
	at    int64  // offset of raw in the message
	lines int    // 1 and one more for each fold
}

// value returns what follows the colon, still folded.
func (f field) value() []byte {
	_, v, _ := bytes.Cut(f.raw, []byte(":"))
	return v
}

// readHeader reads a header from r, in which every byte it takes goes to msg
// as well. Body is what it read beyond the header. An end of r before the
// blank line is no error: the whole message is header then. Errors are those
// of a spooler.
func readHeader(r io.Reader, msg *spool.Spool) (h *header, body []byte, err error) {
	r = spooler{r, msg}
	var (
		b    = make([]byte, 0, 8<<10)
		line int // start of the line that has no end yet
		end  = -1
	)
	for end < 0 && len(b) <= maxHeader {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		end, line = headerEnd(b[:len(b)+n], line, len(b))
		b = b[:len(b)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if end < 0 {
		end = len(b)
	}
	return splitHeader(b[:end:end]), b[end:], nil
}

// headerEnd returns the offset behind the first blank line of b, or -1 and the
// start of the last line, which has no end. Line was that for b[:known].
func headerEnd(b []byte, line, known int) (end, next int) {
	for {
		n := bytes.IndexByte(b[known:], '\n')
		if n < 0 {
			return -1, line
		}
		known += n + 1
		if isBlank(b[line:known]) {
			return known, known
		}
		line = known
	}
}

// isBlank reports whether line is a line end alone. A line of blanks is not:
// it continues a field.
func isBlank(line []byte) bool {
	return string(line) == "\n" || string(line) == "\r\n"
}

// splitHeader splits b, which ends with the blank line or where the message
// ends. The fields point into b.
func splitHeader(b []byte) *header {
	h := &header{size: int64(len(b))}
	at := 0
	for at < len(b) {
		line := b[at:]
		if n := bytes.IndexByte(line, '\n'); n >= 0 {
			line = line[:n+1]
		}
		if isBlank(line) {
			h.closed = true
			break
		}
		if last := len(h.fields) - 1; last >= 0 && (line[0] == ' ' || line[0] == '\t') {
			f := &h.fields[last]
			f.raw = b[f.at : at+len(line)]
			f.lines++
		} else if len(h.fields) == maxFields {
			h.over = true
			break
		} else {
			name, ok := fieldName(line)
			if !ok {
				h.fault = faultSyntax
			}
			h.fields = append(h.fields, field{name: name, raw: line, at: int64(at), lines: 1})
		}
		at += len(line)
	}
	if len(b) > maxHeader {
		h.over = true
	}
	if h.over {
		h.fault = faultLimit
	}
	return h
}

// fieldName returns the name of the field that line starts. Names are
// printable ASCII without colon; blanks between name and colon are the
// obsolete syntax of RFC 5322 section 4.5.
func fieldName(line []byte) (name string, ok bool) {
	n := bytes.IndexByte(line, ':')
	if n < 0 {
		return "", false
	}
	b := bytes.TrimRight(line[:n], " \t")
	for _, c := range b {
		if c <= ' ' || c >= 0x7f {
			return "", false
		}
	}
	return string(b), len(b) > 0
}
