package outbound

import (
	"bytes"
	"io"
)

// Measure reads a message to its end and returns how many bytes it takes on
// the way, about, and whether it has bytes beyond ASCII. What cannot be read
// is not counted: sending it will say so.
func Measure(message io.Reader) (size int64, eightBit bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := message.Read(buf)
		size += int64(n + bytes.Count(buf[:n], []byte("\n")))
		eightBit = eightBit || bytes.ContainsFunc(buf[:n], func(c rune) bool { return c >= 0x80 })
		if err != nil {
			return size, eightBit
		}
	}
}
