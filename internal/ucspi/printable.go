package ucspi

import (
	"strconv"
	"strings"
)

// Printable returns text of strangers as it may stand in a line for people:
// printable ASCII, with a question mark for every other byte, cut to limit
// bytes.
func Printable(s string, limit int) string {
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// Escape returns text as it may stand in a line, with nothing lost: \x and two
// hexadecimal digits for each byte that is not printable ASCII.
func Escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			b.WriteString(`\x` + strconv.FormatUint(uint64(c)+0x100, 16)[1:])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
