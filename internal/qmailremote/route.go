package qmailremote

import (
	"math"
	"net/netip"
	"strings"

	"ucspi-go/internal/prog"
)

const smtpPort = 25

// A route is where mail for a host goes.
type route struct {
	host  string // a name or an address
	port  uint16
	relay bool // control/smtproutes says so
}

// route returns the way to a host: the relay of the first line in
// control/smtproutes for it, for a ".suffix" of it from the longest on, or
// for the empty domain; the host itself when there is none or the relay is
// empty. Of several lines for one domain the last counts. As netqmail's and
// notqmail's qmail-remote; RELAY may also be [IPv6]:PORT.
func (c *config) route(host string) (route, error) {
	direct := route{host: host, port: smtpPort}
	for i := 0; i <= len(host); i++ {
		if i > 0 && i < len(host) && host[i] != '.' {
			continue
		}
		if relay, ok := c.routes[lower(host[i:])]; ok {
			if relay == "" {
				return direct, nil
			}
			return parseRelay(relay)
		}
	}
	return direct, nil
}

// parseRelay splits RELAY[:PORT]. The error is errControls.
func parseRelay(relay string) (route, error) {
	r := route{port: smtpPort, relay: true}
	bracketed := strings.IndexByte(relay, ']') + 1
	name, port, hasPort := strings.Cut(relay[bracketed:], ":")
	r.host = relay[:bracketed] + name
	if hasPort {
		n, _ := prog.Number(port)
		if n == 0 || n > math.MaxUint16 {
			return r, errControls
		}
		r.port = uint16(n)
	}
	return r, nil
}

// literal returns the address that a host is, with brackets or without:
// 1.2.3.4, [1.2.3.4], [2001:db8::1], [IPv6:2001:db8::1] (RFC 5321 section
// 4.1.3). Unlike netqmail's qmail-remote, 1.2.3.256 is none.
func literal(host string) (addr netip.Addr, ok bool) {
	if inner, found := strings.CutPrefix(host, "["); found && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
		const tag = "ipv6:"
		if len(host) > len(tag) && lower(host[:len(tag)]) == tag {
			host = host[len(tag):]
		}
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}
