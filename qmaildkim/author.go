package qmaildkim

import (
	"strings"

	"ucspi-go/qmaildkim/keys"
)

// Reasons why a message has no author domain, as the log names them.
const (
	NoFrom         = "no-from"         // no From field
	SeveralFrom    = "several-from"    // more than one
	BadFrom        = "bad-from"        // not RFC 5322, or without an address
	SeveralAuthors = "several-authors" // of different domains
	BadDomain      = "bad-domain"      // an address literal, or no DNS name
)

// AuthorDomain returns the domain that the author's address in From: has, in
// the form of keys.Domain, or "" and the reason why there is none, one of the
// words above. Fields are the values of all From fields of the message: what
// follows the colon, folded or not.
//
// It reads a mailbox list of RFC 5322 with its obsolete forms, groups (RFC
// 6854) and UTF-8 (RFC 6532). Of several authors all must have one domain,
// since a signature can be aligned with only one. Also read, because mail
// programs write it: dots anywhere in a local part, and "@" in a display name
// that is not quoted. Time and memory are linear in the size of the fields.
func AuthorDomain(fields []string) (domain, reason string) {
	switch {
	case len(fields) == 0:
		return "", NoFrom
	case len(fields) > 1:
		return "", SeveralFrom
	}
	p := addressParser{lex: addressLexer{text: fields[0]}}
	if !p.list() || len(p.domains) == 0 {
		return "", BadFrom
	}
	for _, raw := range p.domains {
		d, ok := keys.Domain(raw)
		switch {
		case !ok:
			return "", BadDomain
		case domain != "" && d != domain:
			return "", SeveralAuthors
		}
		domain = d
	}
	return domain, ""
}

// authorDomains returns every domain that the From fields name, with those
// that there would be if a bare CR became a line end, in the form of listForm.
// Of a field that is not RFC 5322 those are what stands behind each "@": a
// careless reader would show one of them.
func authorDomains(h *header) []string {
	var domains []string
	for _, f := range h.fields {
		for part := range f.parts() {
			if !strings.EqualFold(libraryName(part), "From") {
				continue
			}
			value := string(part.value())
			p := addressParser{lex: addressLexer{text: value}}
			if !p.list() {
				p.domains = behindAt(value)
			}
			for _, d := range p.domains {
				domains = append(domains, listForm(d))
			}
		}
	}
	return domains
}

// behindAt returns what could be a domain behind each "@" of text, past blanks
// and a comment.
func behindAt(text string) []string {
	blank := func(r rune) bool { return r <= ' ' || r == 0x7f }
	var found []string
	_, rest, more := strings.Cut(text, "@")
	for more {
		var part string
		part, rest, more = strings.Cut(rest, "@")
		part = strings.TrimLeftFunc(part, blank)
		if comment, behind, ok := strings.Cut(part, ")"); ok && strings.HasPrefix(comment, "(") {
			part = strings.TrimLeftFunc(behind, blank)
		}
		part = strings.TrimPrefix(part, `"`)
		end := strings.IndexFunc(part, func(r rune) bool { return blank(r) || strings.ContainsRune("<>,;:()\"[]\\", r) })
		if end >= 0 {
			part = part[:end]
		}
		found = append(found, part)
	}
	return found
}

// listForm returns the form in which domains are compared with a list: that of
// keys.Domain where a name has one, else lower case. Quotes are no part of it.
func listForm(domain string) string {
	domain = strings.Trim(domain, `"`)
	if d, ok := keys.Domain(domain); ok {
		return d
	}
	return strings.ToLower(domain)
}

// An addressParser reads an address list into the domains of its addresses.
type addressParser struct {
	lex     addressLexer
	tok     addressToken // the next one
	domains []string     // without comments and blanks, the same one not twice in a row; a literal is "[...]"
	first   string       // address
}

func (p *addressParser) next() { p.tok = p.lex.next() }

// list reads the whole list, with groups and empty members, and reports
// whether it is well formed.
func (p *addressParser) list() bool {
	inGroup := false
	p.next()
	for {
		switch p.tok.kind {
		case ',':
			p.next()
			continue
		case ';':
			if !inGroup {
				return false
			}
			inGroup = false
			if p.next(); p.tok.kind != ',' && p.tok.kind != tokenEnd {
				return false
			}
			continue
		case tokenEnd:
			return !inGroup
		}
		start := p.lex
		first := p.tok
		switch p.phrase() {
		case '<':
			if !p.angle() {
				return false
			}
		case ':':
			if inGroup || first.kind == ':' {
				return false
			}
			inGroup = true
			p.next()
			continue
		default: // no display name: what was read is the address itself
			p.lex, p.tok = start, first
			if !p.addrSpec() {
				return false
			}
		}
		if k := p.tok.kind; k != ',' && k != ';' && k != tokenEnd {
			return false
		}
	}
}

// phrase reads up to the token that says what the words before it are, and
// returns its kind: '<' ends a display name, ':' a group's name, and ',', ';'
// or the end an address without angle brackets.
func (p *addressParser) phrase() tokenKind {
	for {
		switch p.tok.kind {
		case tokenAtom, tokenQuoted, '.', '@', tokenLiteral:
			p.next()
		default:
			return p.tok.kind
		}
	}
}

// angle reads an address in angle brackets, with the route that RFC 5322
// section 4.4 still allows before it.
func (p *addressParser) angle() bool {
	p.next()
	if p.tok.kind == '@' || p.tok.kind == ',' {
		for p.tok.kind != ':' {
			switch p.tok.kind {
			case '@', ',', '.', tokenAtom, tokenLiteral:
				p.next()
			default:
				return false
			}
		}
		p.next()
	}
	if !p.addrSpec() || p.tok.kind != '>' {
		return false
	}
	p.next()
	return true
}

// addrSpec reads local-part@domain.
func (p *addressParser) addrSpec() bool {
	local, ok := p.words()
	if !ok || local == "" || p.tok.kind != '@' {
		return false
	}
	p.next()
	domain := p.tok.text
	if p.tok.kind == tokenLiteral {
		p.next()
	} else if domain, ok = p.words(); !ok || domain == "" {
		return false
	}
	if len(p.domains) == 0 {
		p.first = local + "@" + domain
	}
	if n := len(p.domains); n == 0 || p.domains[n-1] != domain {
		p.domains = append(p.domains, domain)
	}
	return true
}

// words reads words joined by dots and returns their text. Ok is false when
// two words have no dot between them.
func (p *addressParser) words() (text string, ok bool) {
	var b strings.Builder
	for word := false; ; {
		switch p.tok.kind {
		case tokenAtom, tokenQuoted:
			if word {
				return "", false
			}
			word = true
		case '.':
			word = false
		default:
			return b.String(), true
		}
		b.WriteString(p.tok.text)
		p.next()
	}
}
