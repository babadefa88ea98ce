package smtp

import (
	"strings"
	"unicode/utf8"
)

// Sendable reports whether an address can stand in a command: it must hold
// neither a line end nor a NUL.
func Sendable(address string) bool { return !strings.ContainsAny(address, "\r\n\x00") }

// Quote returns an envelope address as commands carry it: with its local part
// in quotes where RFC 5321 wants that. As qmail's quote2, but that letters
// beyond ASCII in UTF-8 stand without quotes (RFC 6531).
func Quote(address string) string {
	local, domain := address, ""
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		local, domain = address[:at], address[at:]
	}
	if address == "" || isDotString(local) {
		return address
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(local) {
		if c := local[i]; c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	b.WriteByte('"')
	return b.String() + domain
}

// isDotString reports whether a local part is a Dot-string of RFC 5321, with
// the letters of RFC 6531.
func isDotString(local string) bool {
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
	}
	for i := range len(local) {
		c := local[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= utf8.RuneSelf:
		case strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) >= 0:
		default:
			return false
		}
	}
	return utf8.ValidString(local)
}

// isASCII reports whether an address is of the kind that every server knows.
func isASCII(address string) bool {
	for i := range len(address) {
		if address[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
