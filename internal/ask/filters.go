package ask

import "bytes"

// chain is one filter after another.
type chain struct {
	first, second filter
	between       []byte
}

func (c *chain) Append(dst, src []byte) []byte {
	c.between = c.first.Append(c.between[:0], src)
	return c.second.Append(dst, c.between)
}

func (c *chain) Flush(dst []byte) []byte {
	c.between = c.first.Flush(c.between[:0])
	return c.second.Flush(c.second.Append(dst, c.between))
}

// plain changes nothing.
type plain struct{}

func (plain) Append(dst, src []byte) []byte { return append(dst, src...) }
func (plain) Flush(dst []byte) []byte       { return dst }

// visible makes every byte but tab and newline visible, so that no host can
// send commands to the terminal. As cat -v.
type visible struct{}

func (visible) Append(dst, src []byte) []byte {
	for _, c := range src {
		if c == '\t' || c == '\n' {
			dst = append(dst, c)
			continue
		}
		if c >= 0x80 {
			dst = append(dst, 'M', '-')
			c -= 0x80
		}
		if c < ' ' || c == 0x7f {
			dst = append(dst, '^', c^0x40)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func (visible) Flush(dst []byte) []byte { return dst }

// A body leaves the lines that follow the first empty one, without those that
// are empty themselves, and ends the last line if nothing else does. As the
// awk program of ucspi-tcp 0.88's http@.
type body struct {
	begun   bool // an empty line has come
	partial bool // the current line has bytes
}

func (b *body) Append(dst, src []byte) []byte {
	for len(src) > 0 {
		i := bytes.IndexByte(src, '\n')
		text := src
		if i >= 0 {
			text = src[:i]
		}
		if b.begun {
			dst = append(dst, text...)
		}
		b.partial = b.partial || len(text) > 0
		if i < 0 {
			break
		}
		dst = b.endLine(dst)
		src = src[i+1:]
	}
	return dst
}

func (b *body) Flush(dst []byte) []byte {
	if b.partial {
		dst = b.endLine(dst)
	}
	return dst
}

func (b *body) endLine(dst []byte) []byte {
	switch {
	case !b.partial:
		b.begun = true
	case b.begun:
		dst = append(dst, '\n')
	}
	b.partial = false
	return dst
}
