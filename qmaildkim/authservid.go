package qmaildkim

import (
	"strings"

	"golang.org/x/net/idna"
)

// authServID returns the name at the beginning of an Authentication-Results
// value: who claims to have made it (RFC 8601 section 2.5). The value may be
// folded and hold comments. Ok is false when no name can be read.
func authServID(value string) (id string, ok bool) {
	rest, ok := skipComments(value)
	if !ok || rest == "" {
		return "", false
	}
	if rest[0] == '"' {
		return quotedString(rest)
	}
	// Any control character ends it, as white space does: some readers of the
	// field take more of them for white space than there are in RFC 5322.
	end := strings.IndexFunc(rest, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == ';' || r == '(' || r == '"'
	})
	if end < 0 {
		end = len(rest)
	}
	return rest[:end], end > 0
}

// skipComments returns s from its first character outside white space and
// comments, which nest. Ok is false when a comment does not end.
func skipComments(s string) (rest string, ok bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0 && c == '\\':
			i++
		case depth > 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n':
		default:
			return s[i:], true
		}
	}
	return "", depth == 0
}

// quotedString returns the text of the quoted string that s begins with. Ok is
// false when it does not end.
func quotedString(s string) (text string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return b.String(), true
		case '\r', '\n': // folding is no part of the text
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// claims reports whether an Authentication-Results value is, or could be read
// as, one made by id. A value without a readable name claims each name that
// occurs in it, since a careless reader could believe it.
func claims(value, id string) bool {
	claimed, ok := authServID(value)
	if !ok {
		return strings.Contains(strings.ToLower(value), strings.ToLower(id))
	}
	return sameHost(claimed, id)
}

// sameHost compares host names: letter case, a final dot and the form of an
// international name make no difference.
func sameHost(a, b string) bool {
	return asciiHost(strings.TrimSuffix(a, ".")) == asciiHost(strings.TrimSuffix(b, "."))
}

// asciiHost returns name in lower case and with its international labels as
// A-labels, where they have one.
func asciiHost(name string) string {
	name = strings.ToLower(name)
	if isASCII(name) {
		return name
	}
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if ascii, err := idna.Lookup.ToASCII(label); err == nil && !isASCII(label) {
			labels[i] = ascii
		}
	}
	return strings.Join(labels, ".")
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
