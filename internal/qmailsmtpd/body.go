package qmailsmtpd

import (
	"bufio"
	"strings"
)

// copyData reads a message up to CR LF . CR LF and gives it to put in pieces,
// with LF line ends and without the dots that the client doubled. It returns
// the number of header fields that look like a hop.
//
// Nothing else ends a message, and a LF that does not follow a CR is
// errBareLF: servers that take either for a line end let one message smuggle
// in another. A CR elsewhere is a byte like any other, and the line ".CR..."
// keeps its dot, as in netqmail's blast.
//
// Memory is bounded by the reader's buffer, not by the length of a line. Put
// must not keep the piece.
func copyData(src *bufio.Reader, put func(piece []byte)) (hops int, err error) {
	inHeader := true
	lineStart := true
	heldCR := false // the last fragment ended in a CR, which may be half of a line end
	for {
		fragment, err := src.ReadSlice('\n')
		whole := err == nil
		if !whole && err != bufio.ErrBufferFull {
			return hops, err
		}
		if lineStart {
			switch {
			case string(fragment) == ".\r\n":
				return hops, nil
			case string(fragment) == "\r\n":
				inHeader = false
			case inHeader && isHop(fragment):
				hops++
			}
			if fragment[0] == '.' && fragment[1] != '\r' {
				fragment = fragment[1:]
			}
		}
		if heldCR && string(fragment) != "\n" {
			put([]byte("\r"))
			heldCR = false
		}
		lineStart = whole
		switch n := len(fragment); {
		case whole && heldCR:
			put(fragment)
			heldCR = false
		case whole && (n < 2 || fragment[n-2] != '\r'):
			return hops, errBareLF
		case whole:
			fragment[n-2] = '\n'
			put(fragment[:n-1])
		case fragment[n-1] == '\r':
			heldCR = true
			put(fragment[:n-1])
		default:
			put(fragment)
		}
	}
}

// isHop reports whether a header line starts like Received or Delivered-To.
func isHop(line []byte) bool {
	starts := func(prefix string) bool {
		return len(line) >= len(prefix) && strings.EqualFold(string(line[:len(prefix)]), prefix)
	}
	return starts("received") || starts("delivered")
}
