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

// names are all variables that Facts set or remove.
var names = []string{
	"PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPLOCALHOST",
	"TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPREMOTEINFO",
}

// Clear returns e without the variables of a connection. What is unknown of a
// connection is unset, so that a program never sees inherited facts.
func Clear(e rules.Environ) rules.Environ { return e.Without(names...) }

// Append returns e, which must be Clear, with the variables of the connection
// behind it. E itself is unchanged. As ucspi-tcp 0.88 tcpserver.c.
func (f Facts) Append(e rules.Environ) rules.Environ {
	out := append(make(rules.Environ, 0, len(e)+len(names)), e...)
	out = append(out, "PROTO=TCP",
		"TCPLOCALIP="+f.Local.Addr().String(),
		"TCPLOCALPORT="+port(f.Local),
		"TCPREMOTEIP="+f.Remote.Addr().String(),
		"TCPREMOTEPORT="+port(f.Remote))
	if f.LocalHost != nil {
		out = append(out, "TCPLOCALHOST="+*f.LocalHost)
	}
	if f.RemoteHost != nil {
		out = append(out, "TCPREMOTEHOST="+*f.RemoteHost)
	}
	if f.RemoteInfo != nil {
		out = append(out, "TCPREMOTEINFO="+*f.RemoteInfo)
	}
	return out
}

// Line returns the facts as they stand in tcpserver's ok and deny lines:
// LOCALHOST:LOCALIP:LOCALPORT REMOTEHOST:REMOTEIP:REMOTEINFO:REMOTEPORT, what
// is unknown being empty.
func (f Facts) Line() string {
	return safe(f.LocalHost) + ":" + f.Local.Addr().String() + ":" + port(f.Local) + " " +
		safe(f.RemoteHost) + ":" + f.Remote.Addr().String() + ":" + safe(f.RemoteInfo) + ":" + port(f.Remote)
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
