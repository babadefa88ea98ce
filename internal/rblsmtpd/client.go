package rblsmtpd

import (
	"net/netip"
	"slices"
	"strings"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
)

// A client is the host that is looked up.
type client struct {
	text     string // its address, as logged
	reversed string // what stands before the base of a list: "4.3.2.1."
}

// newClient returns the client that the environment names. Unlike rblsmtpd
// 0.88 it knows TCP6REMOTEIP, for ucspi-tcp6's tcpserver, which gives an IPv6
// client no TCPREMOTEIP.
func newClient(env *prog.Env) client {
	text, set := env.Lookup("TCPREMOTEIP")
	if proto, _ := env.Lookup("PROTO"); !set && proto == "TCP6" {
		text, _ = env.Lookup("TCP6REMOTEIP")
	}
	return parseClient(text)
}

// parseClient reverses the text at its dots, whatever they separate. Unlike
// rblsmtpd 0.88 it reverses an IPv6 address nibble by nibble, as RFC 5782
// section 2.4 has it, and takes one that maps an IPv4 address for that.
func parseClient(text string) client {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Is6() {
		if !addr.Is4In6() {
			return client{text, strings.TrimSuffix(dns.Reverse(addr), "ip6.arpa")}
		}
		text = addr.Unmap().String()
	}
	if text == "" {
		return client{}
	}
	parts := strings.Split(text, ".")
	slices.Reverse(parts)
	return client{text, strings.Join(parts, ".") + "."}
}
