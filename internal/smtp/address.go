package smtp

import (
	"strings"
	"unicode/utf8"
)

// Sendable reports whether an address can stand in a command: it must hold
// neither a line end nor a NUL.
func Sendable(address string) bool { return !strings.ContainsAny(address, "\r\n\x00") }

// isASCII reports whether an address is of the kind that every server knows.
func isASCII(address string) bool {
	for i := range len(address) {
		if address[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
