package qmailsmtpd

import (
	"strings"

	"ucspi-go/internal/prog"
)

// maxAddress is the length in bytes from which an address is a syntax error.
const maxAddress = 900

// parseCommand splits a command line, which ends in LF, into its lower-case
// verb and its argument. A NUL ends the line, as in the C program's strings.
func parseCommand(line []byte) (verb, arg string) {
	s := strings.TrimSuffix(string(line[:len(line)-1]), "\r")
	s, _, _ = strings.Cut(s, "\x00")
	verb, arg, _ = strings.Cut(s, " ")
	return lower(verb), strings.TrimLeft(arg, " ")
}

// parseAddress returns the address in the argument of MAIL or RCPT: between
// "<" and ">", or after ":" up to a blank for clients that leave out the
// angle brackets. Quoting and a source route are taken off. What is missing
// is taken as empty, and what follows, such as ESMTP parameters, is ignored.
// As netqmail's and notqmail's qmail-smtpd.
func parseAddress(arg string) string {
	end := byte('>')
	if _, after, found := strings.Cut(arg, "<"); found {
		arg = after
	} else {
		end = ' '
		_, arg, _ = strings.Cut(arg, ":")
		arg = strings.TrimLeft(arg, " ")
	}
	if strings.HasPrefix(arg, "@") {
		_, arg, _ = strings.Cut(arg, ":")
	}
	address := make([]byte, 0, len(arg))
	escaped, quoted := false, false
	for i := range len(arg) {
		switch c := arg[i]; {
		case escaped:
			address = append(address, c)
			escaped = false
		case c == end && !quoted:
			return string(address)
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		default:
			address = append(address, c)
		}
	}
	return string(address)
}

// scanBracketed returns the address of a domain of the form [1.2.3.4].
func scanBracketed(domain string) (ip [4]byte, ok bool) {
	s, ok := strings.CutPrefix(domain, "[")
	if !ok {
		return ip, false
	}
	for i := range ip {
		u, n := prog.Number(s)
		if n == 0 || n == len(s) {
			return ip, false
		}
		ip[i] = byte(u)
		want := byte('.')
		if i == len(ip)-1 {
			want = ']'
		}
		if s[n] != want {
			return ip, false
		}
		s = s[n+1:]
	}
	return ip, s == ""
}

// atHost returns the part of an address from its last "@" on, and what is
// before it. Without "@" host is empty.
func atHost(address string) (local, host string) {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	return address[:at], address[at:]
}

// badSender reports whether the envelope sender, or its "@host", is listed in
// control/badmailfrom.
func (c *config) badSender(sender string) bool {
	_, host := atHost(sender)
	return c.badMailFrom[lower(sender)] || host != "" && c.badMailFrom[lower(host)]
}

// accepts reports whether control/rcpthosts or control/morercpthosts.cdb lists
// the domain of a recipient, or a ".suffix" of it. Addresses without a domain
// are always accepted. The error is that of the database.
func (c *config) accepts(recipient string) (bool, error) {
	_, host := atHost(recipient)
	if c.rcpthosts == nil || host == "" {
		return true, nil
	}
	host = lower(host[1:])
	for i := range len(host) {
		if i > 0 && host[i] != '.' {
			continue
		}
		if c.rcpthosts[host[i:]] {
			return true, nil
		}
		if c.moreRcptHosts == nil {
			continue
		}
		if found, err := c.moreRcptHosts.Has(host[i:]); found || err != nil {
			return found, err
		}
	}
	return false, nil
}
