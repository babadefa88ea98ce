package qmaildkim

import "strings"

// authResults returns the Authentication-Results field of RFC 8601 for
// authserv-id id, folded and with LF line ends: an entry for each signature,
// or one for the whole message when there is none.
func authResults(id string, v Verdict) string {
	f := folder{width: len("Authentication-Results:")}
	f.b.WriteString("Authentication-Results:")
	f.word(propertyValue(asciiHost(id)) + ";")
	prefix := signaturePrefix(v.Signatures)
	for i, s := range v.Signatures {
		if i > 0 {
			f.b.WriteByte(';')
		}
		f.line()
		f.result(s.Letter, s.Reason)
		f.property("header.d", asciiHost(s.Domain))
		f.property("header.s", s.Selector)
		f.property("header.a", s.Algorithm)
		f.property("header.b", s.Value[:min(prefix, len(s.Value))])
	}
	if len(v.Signatures) == 0 {
		f.line()
		f.result(v.judged(), v.Reason) // a list of domains is local policy
	}
	return f.b.String() + "\n"
}

// signaturePrefix returns how much of b= tells the signatures apart: 8 bytes,
// or as many as RFC 6008 section 4 asks for.
func signaturePrefix(signatures []Signature) int {
	prefix := 8
	for i, a := range signatures {
		for _, b := range signatures[:i] {
			n := 0
			for n < min(len(a.Value), len(b.Value)) && a.Value[n] == b.Value[n] {
				n++
			}
			if a.Value != b.Value && n >= prefix {
				prefix = n + 1
			}
		}
	}
	return prefix
}

// A folder writes the words of a field, folding it before a word that does
// not fit.
type folder struct {
	b     strings.Builder
	width int // of the line so far
}

const foldWidth = 76

func (f *folder) word(s string) {
	if f.width > 1 && f.width+1+len(s) > foldWidth {
		f.line()
	}
	if f.width > 1 {
		f.b.WriteByte(' ')
		f.width++
	}
	f.b.WriteString(s)
	f.width += len(s)
}

// line begins a new line.
func (f *folder) line() {
	f.b.WriteString("\n\t")
	f.width = 1
}

// result writes dkim=WORD and the reason as a comment.
func (f *folder) result(letter Letter, reason string) {
	f.word("dkim=" + letter.Result())
	if reason != "" {
		f.word("(" + commentText(reason) + ")")
	}
}

func (f *folder) property(name, value string) {
	if value != "" {
		f.word(name + "=" + propertyValue(value))
	}
}

// maxProperty bounds a value taken from a signature, so that a line stays
// under the 998 bytes of RFC 5322 even when every byte is escaped.
const maxProperty = 255

// propertyValue returns s as a token, or as a quoted string where a token
// cannot hold it (RFC 2045 section 5.1).
func propertyValue(s string) string {
	s = cleanText(s[:min(len(s), maxProperty)])
	if s != "" && !strings.ContainsAny(s, ` ()<>@,;:\"/[]?=`) {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// commentText returns s as it may stand in a comment.
func commentText(s string) string {
	return strings.NewReplacer("(", "[", ")", "]", `\`, "/").Replace(cleanText(s))
}

// cleanText replaces each byte that is not printable ASCII by a question mark.
func cleanText(s string) string {
	clean := []byte(s)
	for i, c := range clean {
		if c < ' ' || c > '~' {
			clean[i] = '?'
		}
	}
	return string(clean)
}
