package qmailsmtpd

import (
	"bytes"
	"net/netip"
	"strings"

	"ucspi-go/internal/prog"
)

// maxAddress is the length in bytes from which an address is a syntax error.
const maxAddress = 900

// verbs are the commands that are known.
var verbs = [...]string{"rcpt", "mail", "data", "rset", "quit", "helo", "ehlo", "noop", "help", "vrfy"}

// parseCommand splits a command line, which ends in LF, into its verb, empty
// when it is not known, and its argument. A NUL ends the line, as in the C
// program's strings.
func parseCommand(line []byte) (verb string, arg []byte) {
	line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
	line, _, _ = bytes.Cut(line, []byte{0})
	word, arg, _ := bytes.Cut(line, []byte(" "))
	for _, v := range verbs {
		if equalFold(word, v) {
			verb = v
		}
	}
	return verb, bytes.TrimLeft(arg, " ")
}

// parseAddress returns the address in the argument of MAIL or RCPT: between
// "<" and ">", or after ":" up to a blank for clients that leave out the
// angle brackets. Quoting and a source route are taken off. What is missing
// is taken as empty, and what follows, such as ESMTP parameters, is ignored.
// As netqmail's and notqmail's qmail-smtpd. The address takes the place of the
// argument.
func parseAddress(arg []byte) []byte {
	end := byte('>')
	if _, after, found := bytes.Cut(arg, []byte("<")); found {
		arg = after
	} else {
		end = ' '
		_, arg, _ = bytes.Cut(arg, []byte(":"))
		arg = bytes.TrimLeft(arg, " ")
	}
	if bytes.HasPrefix(arg, []byte("@")) {
		_, arg, _ = bytes.Cut(arg, []byte(":"))
	}
	address := arg[:0]
	escaped, quoted := false, false
	for _, c := range arg {
		switch {
		case escaped:
			address = append(address, c)
			escaped = false
		case c == end && !quoted:
			return address
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		default:
			address = append(address, c)
		}
	}
	return address
}

// scanBracketed returns the address of a domain of the form [1.2.3.4], or
// [IPv6:2001:db8::1] as RFC 5321 section 4.1.3 has it.
func scanBracketed(domain string) (addr netip.Addr, ok bool) {
	s, ok := strings.CutPrefix(domain, "[")
	if !ok {
		return addr, false
	}
	const tag = "ipv6:"
	if len(s) > len(tag) && equalFold([]byte(s[:len(tag)]), tag) {
		addr, err := netip.ParseAddr(strings.TrimSuffix(s[len(tag):], "]"))
		return addr, err == nil && addr.Is6() && addr.Zone() == "" && strings.HasSuffix(s, "]")
	}
	var ip [4]byte
	for i := range ip {
		u, n := prog.Number(s)
		if n == 0 || n == len(s) {
			return addr, false
		}
		ip[i] = byte(u)
		want := byte('.')
		if i == len(ip)-1 {
			want = ']'
		}
		if s[n] != want {
			return addr, false
		}
		s = s[n+1:]
	}
	return netip.AddrFrom4(ip), s == ""
}

// atHost returns the part of an address from its last "@" on, and what is
// before it. Without "@" host is empty.
func atHost(address []byte) (local, host []byte) {
	at := bytes.LastIndexByte(address, '@')
	if at < 0 {
		return address, nil
	}
	return address[:at], address[at:]
}

// badSender reports whether the envelope sender, or its "@host", is listed in
// control/badmailfrom.
func (c *config) badSender(sender []byte) bool {
	var buf [maxAddress]byte
	sender = appendLower(buf[:0], sender)
	_, host := atHost(sender)
	return c.badMailFrom[string(sender)] || len(host) > 0 && c.badMailFrom[string(host)]
}

// accepts reports whether control/rcpthosts or control/morercpthosts.cdb lists
// the domain of a recipient, or a ".suffix" of it. Addresses without a domain
// are always accepted. The error is that of the database.
func (c *config) accepts(recipient []byte) (bool, error) {
	_, host := atHost(recipient)
	if c.rcpthosts == nil || len(host) == 0 {
		return true, nil
	}
	var buf [maxAddress]byte
	host = appendLower(buf[:0], host[1:])
	for i := range len(host) {
		if i > 0 && host[i] != '.' {
			continue
		}
		if c.rcpthosts[string(host[i:])] {
			return true, nil
		}
		if c.moreRcptHosts == nil {
			continue
		}
		if found, err := c.moreRcptHosts.Has(string(host[i:])); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// appendLower appends s to b with A-Z as a-z. All other bytes are left alone;
// bytes.ToLower would change those that are not UTF-8.
func appendLower(b, s []byte) []byte {
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// equalFold reports whether s is lower, which is in lower case, in any case.
func equalFold(s []byte, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i, c := range s {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
