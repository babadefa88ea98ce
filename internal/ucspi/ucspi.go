// Package ucspi holds what the programs of a TCP connection tell each other:
// the facts of a connection as environment variables, and names from the
// network as text that may stand in a log.
package ucspi

import (
	"net/netip"
	"strconv"

	"ucspi-go/rules"
)

// Facts are what is known of a TCP connection.
type Facts struct {
	Local, Remote netip.AddrPort

	// Nil when unknown. An empty string is known and empty: tcpserver -l "",
	// and the remote info of an ident server that answers with an error.
	LocalHost, RemoteHost, RemoteInfo *string
}

// names are all variables that Facts set or remove. The second half are those
// of an IPv6 connection.
var names = []string{
	"PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST",
	"TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO",
	"TCP6LOCALIP", "TCP6LOCALPORT", "TCP6LOCALHOST", "TCP6INTERFACE",
	"TCP6REMOTEIP", "TCP6REMOTEPORT", "TCP6REMOTEHOST", "TCP6REMOTEINFO",
}

// Clear returns e without the variables of a connection. What is unknown of a
// connection is unset, so that a program never sees inherited facts.
func Clear(e rules.Environ) rules.Environ { return e.Without(names...) }

// Append returns e, which must be Clear, with the variables of the connection
// behind it. E itself is unchanged. As ucspi-tcp 0.88 tcpserver.c; for an IPv6
// connection PROTO is TCP6, and all but it are there under their names in
// ucspi-tcp-ipv6 and ucspi-tcp6 too.
func (f Facts) Append(e rules.Environ) rules.Environ {
	out := append(make(rules.Environ, 0, len(e)+len(names)), e...)
	if !f.Remote.Addr().Is6() {
		return f.appendNamed(append(out, "PROTO=TCP"), "TCP")
	}
	out = f.appendNamed(append(out, "PROTO=TCP6"), "TCP")
	out = f.appendNamed(out, "TCP6")
	if scope := f.Remote.Addr().Zone(); scope != "" {
		out = append(out, "TCP6INTERFACE="+scope)
	}
	return out
}

func (f Facts) appendNamed(e rules.Environ, proto string) rules.Environ {
	e = append(e,
		proto+"LOCALIP="+Text(f.Local.Addr()),
		proto+"LOCALPORT="+port(f.Local),
		proto+"REMOTEIP="+Text(f.Remote.Addr()),
		proto+"REMOTEPORT="+port(f.Remote))
	if f.LocalHost != nil {
		e = append(e, proto+"LOCALHOST="+*f.LocalHost)
	}
	if f.RemoteHost != nil {
		e = append(e, proto+"REMOTEHOST="+*f.RemoteHost)
	}
	if f.RemoteInfo != nil {
		e = append(e, proto+"REMOTEINFO="+*f.RemoteInfo)
	}
	return e
}

// Text returns an address as it stands in variables, log lines and rules: one
// of IPv6 by RFC 5952, without its scope.
func Text(a netip.Addr) string { return a.WithZone("").String() }

// Line returns the facts as they stand in tcpserver's ok and deny lines:
// LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:REMOTEINFO:REMOTEPORT, what
// is unknown being empty. The colons of IPv6 addresses stay, as in
// ucspi-tcp-ipv6.
func (f Facts) Line() string {
	return safe(f.LocalHost) + ":" + Text(f.Local.Addr()) + ":" + port(f.Local) + " " +
		safe(f.RemoteHost) + ":" + Text(f.Remote.Addr()) + ":" + safe(f.RemoteInfo) + ":" + port(f.Remote)
}

func port(a netip.AddrPort) string { return strconv.Itoa(int(a.Port())) }

func safe(s *string) string {
	if s == nil {
		return ""
	}
	return Safe(*s)
}

// Safe returns s fit for a log line: controls, blanks, bytes that are not
// ASCII, % and : become ?, and 100 bytes or more are cut to 100 and "...".
// As safecats in ucspi-tcp 0.88 tcpserver.c.
func Safe(s string) string {
	const limit = 100
	b := []byte(s[:min(len(s), limit)])
	for i, c := range b {
		if c < 33 || c > 126 || c == '%' || c == ':' {
			b[i] = '?'
		}
	}
	if len(s) >= limit {
		b = append(b, "..."...)
	}
	return string(b)
}
