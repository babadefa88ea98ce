package qmail

import (
	"strings"
	"unicode/utf8"
)

// Quote returns an envelope address as mail shows it: with the local part in
// quotes where RFC 5321 wants that. As qmail's quote2, but that UTF-8 needs no
// quotes (RFC 6531).
func Quote(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		at = len(address)
	}
	local, domain := address[:at], address[at:]
	if address == "" || isDotString(local) {
		return address
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(local) {
		if local[i] == '"' || local[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(local[i])
	}
	return b.String() + `"` + domain
}

// isDotString reports whether a local part needs no quotes: atoms with dots
// between them.
func isDotString(local string) bool {
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" {
			return false
		}
		for _, r := range atom {
			letter := r|0x20 >= 'a' && r|0x20 <= 'z' || r >= '0' && r <= '9' || r >= utf8.RuneSelf && r != utf8.RuneError
			if !letter && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) {
				return false
			}
		}
	}
	return true
}
