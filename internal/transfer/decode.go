package transfer

import "bytes"

// decodeQuoted passes a line of quoted-printable on, decoded. What is no valid
// escape stays as it is.
func (t *Writer) decodeQuoted(line []byte) {
	text := cutEnd(line)
	end := line[len(text):]
	for n := len(text); n > 0 && (text[n-1] == ' ' || text[n-1] == '\t'); n-- {
		text = text[:n-1] // put there on the way
	}
	t.soft = len(text) > 0 && text[len(text)-1] == '='
	if t.soft {
		text, end = text[:len(text)-1], nil
	}
	for {
		n := bytes.IndexByte(text, '=')
		if n < 0 {
			break
		}
		t.pass(text[:n])
		if text = text[n:]; len(text) >= 3 && isHex(text[1]) && isHex(text[2]) {
			t.passByte(hex(text[1])<<4 | hex(text[2]))
			text = text[3:]
		} else {
			t.passByte('=')
			text = text[1:]
		}
	}
	t.pass(text)
	t.pass(end)
}

// cutEnd returns a line without its LF or CRLF.
func cutEnd(line []byte) []byte {
	n := len(line)
	if n > 0 && line[n-1] == '\n' {
		n--
		if n > 0 && line[n-1] == '\r' {
			n--
		}
	}
	return line[:n]
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}

func hex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// A quantum is the bits of base64 that make no whole byte yet.
type quantum struct {
	bits uint32
	n    int  // how many, under 8
	end  bool // padding was seen: nothing more follows
}

// decodeBase64 passes on the bytes that a line of base64 completes. Characters
// outside the alphabet are ignored (RFC 2045 section 6.8).
func (t *Writer) decodeBase64(line []byte) {
	q := &t.bits
	for _, c := range line {
		var v byte
		switch {
		case 'A' <= c && c <= 'Z':
			v = c - 'A'
		case 'a' <= c && c <= 'z':
			v = c - 'a' + 26
		case '0' <= c && c <= '9':
			v = c - '0' + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		case c == '=':
			q.end = true
			continue
		default:
			continue
		}
		if q.end {
			continue
		}
		q.bits = q.bits<<6 | uint32(v)
		if q.n += 6; q.n >= 8 {
			q.n -= 8
			t.passByte(byte(q.bits >> q.n))
		}
	}
}
