package rules

import (
	"slices"
	"strings"
)

// A Kind says which clients have a key among those that are searched for
// them. The kinds are in the order of the search: a record of one kind is
// found before those of all later kinds, and among prefixes and suffixes the
// longest is found first.
type Kind int

// The kinds of keys.
const (
	InfoAtAddress Kind = iota // "joe@192.0.2.1", "joe@2001:db8::1"
	InfoAtName                // "joe@=mail.example.com"
	Address                   // "192.0.2.1", "2001:db8::1"
	Name                      // "=mail.example.com"
	AddressPrefix             // "192.0.2.", "2001:db8:", and "2001:db8::", which is an address too
	NameSuffix                // "=.example.com", and "=" for who has a name
	AddressBlock              // that of 192.0.2.0/24 or 2001:db8::/32: see AddressOf
	Everybody                 // ""
	NoClient                  // no client that tcpserver meets has it
)

// KindOf returns the kind of a key. Tcpserver's clients have an IPv4 address
// in its usual form or one of the IPv6 texts that are searched, a name in the form that the DNS lookup of ucspi-tcp
// returns, in lower case and without final dot, and remote info that has no
// blanks and at most 257 bytes.
func KindOf(key string) Kind {
	info, at, hasInfo := cutLast(key, '@')
	if hasInfo {
		switch {
		case len(info) > 257 || strings.ContainsAny(info, " \t\r\n"):
		case isAddress(at):
			return InfoAtAddress
		case strings.HasPrefix(at, "=") && isName(at[1:]):
			return InfoAtName
		}
		return NoClient
	}
	name, hasName := strings.CutPrefix(key, "=")
	switch {
	case key == "":
		return Everybody
	case key == "=":
		return NameSuffix
	case hasName && isName(name):
		return Name
	case hasName && name[0] == '.' && name != ".." && isName(name[1:]):
		return NameSuffix
	case isPrefix(key):
		return AddressPrefix
	case isAddress(key):
		return Address
	case AddressOf(key) != key:
		return AddressBlock
	}
	return NoClient
}

// isAddress reports whether s is an address in a form that is searched.
func isAddress(s string) bool {
	if octets(s) == 4 {
		return true
	}
	addr, ok := ipv6(s)
	return ok && addr.Is6() && slices.Contains(ipv6Texts(s, nil), s)
}

// isPrefix reports whether s is the beginning of an address and ends in a dot,
// or a colon.
func isPrefix(s string) bool {
	n := len(s) - 1
	switch {
	case n < 0:
		return false
	case s[n] == ':':
		key, ok := ipv6Key(s)
		return ok && key == s
	case s[n] != '.':
		return false
	}
	parts := octets(s[:n])
	return 0 < parts && parts < 4
}

// octets counts the numbers of a dotted address, 0 if it is none: they go up
// to 255 and have no leading zeros.
func octets(s string) (n int) {
	for part := range strings.SplitSeq(s, ".") {
		value, ok := number([]byte(part))
		if !ok || value > 255 || part == "" || len(part) > 3 || part[0] == '0' && part != "0" || strings.IndexByte(part, 0) >= 0 {
			return 0
		}
		n++
	}
	return n
}

// isName reports whether s is a name as the DNS lookup returns it: labels of
// the bytes that it does not escape, and escapes. The root is ".".
func isName(s string) bool {
	if s == "." {
		return true
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" {
			return false
		}
		for i := 0; i < len(label); i++ {
			switch c := label[i]; {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			case c == '\\' && i+3 < len(label) && isOctal(label[i+1:i+4]):
				i += 3
			default:
				return false
			}
		}
	}
	return true
}

func isOctal(s string) bool { return strings.Trim(s, "01234567") == "" && s[0] <= '3' }

func cutLast(s string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(s, sep); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}
