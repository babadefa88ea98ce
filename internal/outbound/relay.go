package outbound

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"strings"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
)

// SMTPPort is where mail goes unless something else is said.
const SMTPPort = 25

// ErrPort is the error of a relay whose port is none.
var ErrPort = errors.New("outbound: not a port number")

// SplitRelay splits HOST or HOST:PORT; what follows the digits of the port is
// ignored. The HOST may be an address in brackets. The error is ErrPort.
func SplitRelay(relay string) (host string, port uint16, err error) {
	bracketed := strings.IndexByte(relay, ']') + 1
	name, number, found := strings.Cut(relay[bracketed:], ":")
	host = relay[:bracketed] + name
	if !found {
		return host, SMTPPort, nil
	}
	n := prog.Leading(number)
	if n == 0 || n > math.MaxUint16 {
		return host, 0, ErrPort
	}
	return host, uint16(n), nil
}

// Literal returns the address that a host is, with brackets or without:
// 1.2.3.4, [1.2.3.4], [2001:db8::1], [IPv6:2001:db8::1] (RFC 5321 section
// 4.1.3). Unlike netqmail's qmail-remote, 1.2.3.256 is none.
func Literal(host string) (addr netip.Addr, ok bool) {
	if inner, found := strings.CutPrefix(host, "["); found && strings.HasSuffix(inner, "]") {
		host = strings.TrimSuffix(inner, "]")
		const tag = "ipv6:"
		if len(host) > len(tag) && strings.EqualFold(host[:len(tag)], tag) {
			host = host[len(tag):]
		}
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil
}

// Addresses returns the addresses of a name, IPv4 first: mail from an IPv6
// address is trusted less. Unsure says that there may be more.
func Addresses(ctx context.Context, r *dns.Resolver, name string) (addrs []netip.Addr, unsure bool) {
	for _, lookup := range []func(context.Context, string) ([]netip.Addr, error){r.LookupA, r.LookupAAAA} {
		found, err := lookup(ctx, name)
		addrs = append(addrs, found...)
		unsure = unsure || IsTemporary(err)
	}
	return addrs, unsure
}
