package qmaildkim

import "strings"

// An addressToken is a token of an address list, RFC 5322 section 3.2.
type addressToken struct {
	kind tokenKind
	text string // as typed; a quoted string or literal with its delimiters
}

// tokenKind is one of the below or the special character that the token is.
type tokenKind byte

const (
	tokenEnd     tokenKind = 'E'
	tokenBad     tokenKind = 'B' // what is no token: never read past
	tokenAtom    tokenKind = 'a' // bytes above 127 included, RFC 6532
	tokenQuoted  tokenKind = 'q'
	tokenLiteral tokenKind = 'l'
)

// specials are the bytes that end an atom: those of RFC 5322 section 3.2.3
// and blanks. Control characters do so too.
const specials = "<>@,;:.) \t\r\n(\"[]\\"

// An addressLexer splits an address list into tokens.
type addressLexer struct {
	text string
	at   int
}

// next returns the next token. Blanks, line ends and comments separate tokens
// and are skipped.
func (l *addressLexer) next() addressToken {
	if !l.skip() {
		return addressToken{kind: tokenBad}
	}
	if l.at == len(l.text) {
		return addressToken{kind: tokenEnd}
	}
	start := l.at
	kind, ok := tokenAtom, true
	switch c := l.text[l.at]; c {
	case '<', '>', '@', ',', ';', ':', '.':
		l.at++
		kind = tokenKind(c)
	case '"':
		kind, ok = tokenQuoted, l.until('"')
	case '[':
		kind, ok = tokenLiteral, l.until(']')
	default:
		ok = l.atom()
	}
	if !ok {
		l.at = start
		return addressToken{kind: tokenBad}
	}
	return addressToken{kind, l.text[start:l.at]}
}

// skip passes over blanks and comments, which nest. It reports whether the
// comments are closed.
func (l *addressLexer) skip() bool {
	depth := 0
	for ; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '\\' && depth > 0:
			l.at++
		case depth == 0 && strings.IndexByte(" \t\r\n", c) < 0:
			return true
		}
	}
	l.at = len(l.text)
	return depth == 0
}

// until passes over a quoted string or literal that ends with end.
func (l *addressLexer) until(end byte) bool {
	for l.at++; l.at < len(l.text); l.at++ {
		switch l.text[l.at] {
		case end:
			l.at++
			return true
		case '\\':
			l.at++
		}
	}
	return false
}

// atom passes over an atom and reports whether there is one.
func (l *addressLexer) atom() bool {
	start := l.at
	for l.at < len(l.text) {
		c := l.text[l.at]
		if c < ' ' || c == 0x7f || strings.IndexByte(specials, c) >= 0 {
			break
		}
		l.at++
	}
	return l.at > start
}
