package qmaildkim

import "io"

// A blankTrim writes what is written to it without the white space at line
// ends.
type blankTrim struct {
	w    io.Writer
	held []byte // white space of which it is not known whether text follows
	cr   bool   // and a CR behind it
	out  []byte
}

// maxBlanks bounds the white space that is held back, in bytes. More stays.
const maxBlanks = 4 << 10

func (b *blankTrim) Write(p []byte) (int, error) {
	b.out = b.out[:0]
	for _, c := range p {
		if c == '\n' {
			if b.cr {
				b.out = append(b.out, '\r')
			}
			b.out = append(b.out, '\n')
			b.held, b.cr = b.held[:0], false
			continue
		}
		blank := c == ' ' || c == '\t'
		if b.cr || !blank && c != '\r' || len(b.held) == maxBlanks {
			b.release()
		}
		switch {
		case blank:
			b.held = append(b.held, c)
		case c == '\r':
			b.cr = true
		default:
			b.out = append(b.out, c)
		}
	}
	_, err := b.w.Write(b.out)
	return len(p), err
}

// release lets go of what was held back, now that text follows.
func (b *blankTrim) release() {
	b.out = append(b.out, b.held...)
	if b.cr {
		b.out = append(b.out, '\r')
	}
	b.held, b.cr = b.held[:0], false
}

// Close ends the last line, which has no end.
func (b *blankTrim) Close() error {
	if !b.cr {
		return nil
	}
	b.out = b.out[:0]
	b.release()
	_, err := b.w.Write(b.out)
	return err
}
