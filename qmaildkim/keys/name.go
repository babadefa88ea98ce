package keys

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Lengths of RFC 1035 section 2.3.4, in bytes; a name is counted as text
// without its final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// Domain returns the form of a domain name under which its keys are kept and
// its records are published: lower case, internationalized labels as A-labels
// (RFC 5890), without the final dot. Ok is false for what is no such name:
// an empty or too long name or label, any byte but letters, digits, "-" and
// "_", or a last label of digits only, which is an address. A result is
// therefore safe as one component of a path, which a name typed by a stranger
// is not.
func Domain(text string) (domain string, ok bool) {
	domain = text
	if !ascii(domain) {
		// A name of maxName bytes has fewer characters than that, of at most
		// four bytes each; what is longer need not be looked at.
		if len(domain) > 4*maxName || !utf8.ValidString(domain) {
			return "", false
		}
		var err error
		if domain, err = toASCII(domain); err != nil {
			return "", false
		}
	}
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	if !labels(domain) || strings.Trim(last, "0123456789") == "" {
		return "", false
	}
	return domain, true
}

// toASCII converts for lookup (RFC 5891 section 5), but lets "_" and hyphens
// in unusual places pass, as they do in names that need no conversion. It is
// made here rather than at start, since hardly a message needs it.
func toASCII(domain string) (string, error) {
	return idna.New(idna.MapForLookup(), idna.BidiRule(),
		idna.StrictDomainName(false), idna.CheckHyphens(false)).ToASCII(domain)
}

// labels reports whether s is a sequence of DNS labels of letters, digits,
// "-" and "_", joined by dots.
func labels(s string) bool {
	if len(s) > maxName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > maxLabel {
			return false
		}
		for i := range len(label) {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return true
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Selector returns the selector (s=) of the keys that pattern names: the last
// component of the path as configured, before "%" is replaced and before links
// are followed, so that rsa.private_default behind a link default signs as
// default. A "%" in that component itself stands for the domain, as in
// sagredo's qmail-dkim. Ok is false when that is no sequence of DNS labels.
func Selector(pattern, domain string) (selector string, ok bool) {
	pattern = strings.TrimRight(pattern, "/")
	selector = pattern[strings.LastIndexByte(pattern, '/')+1:]
	selector = strings.ReplaceAll(selector, "%", domain)
	return selector, labels(selector)
}
