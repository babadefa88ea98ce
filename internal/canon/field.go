package canon

import "bytes"

// Field returns the canonical form of a header field: raw is its name, colon
// and value, still folded, with line ends of LF or CRLF. The form ends with
// CRLF also where raw has no line end (RFC 6376 sections 3.4.1 and 3.4.2).
func (a Algorithm) Field(raw []byte) []byte {
	if a == Relaxed {
		return relaxedField(raw)
	}
	b := make([]byte, 0, len(raw)+8)
	for line := range bytes.Lines(raw) {
		b = append(append(b, cutEnd(line)...), "\r\n"...)
	}
	return b
}

func relaxedField(raw []byte) []byte {
	name, value, _ := bytes.Cut(raw, []byte(":"))
	b := make([]byte, 0, len(raw)+2)
	b = append(appendReduced(b, bytes.ToLower(name)), ':')
	return append(appendReduced(b, value), "\r\n"...)
}

// appendReduced appends text unfolded, each run of white space as one space
// and none at the ends.
func appendReduced(b, text []byte) []byte {
	start, space := len(b), false
	for line := range bytes.Lines(text) {
		for _, c := range cutEnd(line) {
			if c == ' ' || c == '\t' {
				space = true
				continue
			}
			if space && len(b) > start {
				b = append(b, ' ')
			}
			space = false
			b = append(b, c)
		}
	}
	return b
}

// cutEnd returns a line without its LF or CRLF.
func cutEnd(line []byte) []byte {
	line, ended := bytes.CutSuffix(line, []byte("\n"))
	if ended {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	return line
}

// Signature returns the form that a signature field has in its own hash: the
// value of its b= deleted, without a line end behind it (RFC 6376 section
// 3.7).
func (a Algorithm) Signature(raw []byte) []byte {
	return bytes.TrimRight(a.Field(withoutB(raw)), "\r\n")
}

// withoutB returns a signature field with an empty b=. A field that has none
// comes back as it is.
func withoutB(raw []byte) []byte {
	at := bytes.IndexByte(raw, ':') + 1
	for at < len(raw) {
		end := len(raw)
		if n := bytes.IndexByte(raw[at:], ';'); n >= 0 {
			end = at + n
		}
		name, _, ok := bytes.Cut(raw[at:end], []byte("="))
		if ok && string(bytes.TrimSpace(name)) == "b" {
			value := at + len(name) + 1
			return append(raw[:value:value], raw[end:]...)
		}
		at = end + 1
	}
	return raw
}
