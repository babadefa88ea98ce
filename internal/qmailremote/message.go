package qmailremote

import (
	"bytes"
	"io"
	"os"
)

// measure returns how many bytes the message takes on the way, about, and
// whether it has bytes beyond ASCII. It reads ahead in a file that can be read
// twice, which is what qmail-rspawn gives; of a pipe nothing is known.
func measure(message *os.File) (size int64, eightBit bool) {
	if message == nil {
		return 0, false
	}
	info, err := message.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	start, err := message.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false
	}
	buf := make([]byte, 64<<10)
	for at := start; ; {
		n, err := message.ReadAt(buf, at)
		at += int64(n)
		size += int64(n + bytes.Count(buf[:n], []byte("\n")))
		eightBit = eightBit || bytes.ContainsFunc(buf[:n], func(c rune) bool { return c >= 0x80 })
		if err != nil {
			return size, eightBit
		}
	}
}
