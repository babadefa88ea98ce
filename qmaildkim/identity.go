package qmaildkim

import (
	"strings"

	"ucspi-go/qmaildkim/keys"
)

// maxLocal bounds the encoded local part of i= in bytes, so that its line
// keeps the length that RFC 5322 allows.
const maxLocal = 512

// identity returns the value of i= for an identity as configured: its local
// part as dkim-quoted-printable (RFC 6376 section 2.11), its domain in lower
// case, since some verifiers compare it with d= byte by byte. Ok is false for
// one that is not below domain, which no verifier would accept, and for one
// that is too long.
func identity(text, domain string) (value string, ok bool) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return "", false
	}
	host, ok := keys.Domain(text[at+1:])
	if !ok || host != domain && !strings.HasSuffix(host, "."+domain) {
		return "", false
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text[:at]) {
		if c <= ' ' || c >= 0x7f || c == ';' || c == '=' {
			b.Write([]byte{'=', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	if b.Len() > maxLocal {
		return "", false
	}
	return b.String() + "@" + host, true
}
