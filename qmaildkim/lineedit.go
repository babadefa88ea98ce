package qmaildkim

import (
	"bytes"
	"io"
)

// A lineEdit writes what is written to it with some lines changed at their
// beginning.
type lineEdit struct {
	w     io.Writer
	first byte                     // lines that begin otherwise stay
	edit  func(head []byte) []byte // of the first maxLineHead bytes of a line, or of all of it

	held   []byte // the beginning of a line that may change
	inLine bool   // the beginning of the line has passed
}

const maxLineHead = 32

func (e *lineEdit) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if len(e.held) > 0 || !e.inLine && rest[0] == e.first {
			n := min(len(rest), maxLineHead-len(e.held))
			if end := bytes.IndexByte(rest[:n], '\n'); end >= 0 {
				n = end + 1
			}
			e.held = append(e.held, rest[:n]...)
			rest = rest[n:]
			if len(e.held) == maxLineHead || e.held[len(e.held)-1] == '\n' {
				if err := e.flush(); err != nil {
					return 0, err
				}
			}
			continue
		}
		n := len(rest)
		if at := bytes.Index(rest, []byte{'\n', e.first}); at >= 0 {
			n = at + 1
		}
		e.inLine = rest[n-1] != '\n'
		if _, err := e.w.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}

// flush passes on the beginning of a line.
func (e *lineEdit) flush() error {
	e.inLine = e.held[len(e.held)-1] != '\n'
	_, err := e.w.Write(e.edit(e.held))
	e.held = e.held[:0]
	return err
}

// Close ends the last line.
func (e *lineEdit) Close() error {
	if len(e.held) == 0 {
		return nil
	}
	return e.flush()
}

// unescapeFrom undoes what mailboxes in one file do to lines that begin with
// "From ".
func unescapeFrom(head []byte) []byte {
	if bytes.HasPrefix(bytes.TrimLeft(head, ">"), []byte("From ")) {
		return head[1:]
	}
	return head
}

// unstuffDots undoes what SMTP does to lines that begin with a dot.
func unstuffDots(head []byte) []byte {
	if bytes.HasPrefix(head, []byte("..")) {
		return head[1:]
	}
	return head
}

// restoreDashes makes the line above a signature of words again what mail
// programs write.
func restoreDashes(head []byte) []byte {
	if end, ok := bytes.CutPrefix(head, []byte("--")); ok && len(bytes.Trim(end, "\r\n")) == 0 {
		return append([]byte("-- "), end...)
	}
	return head
}
