package dns

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"ucspi-go/internal/socket"
)

// LookupHost returns the IPv4 addresses of a host operand: qualified by the
// rules of DNSREWRITEFILE and its stand-ins, the first qualified name that
// has addresses counting. Literal addresses are never asked for. As ucspi-tcp
// 0.88 dns_ipq.c.
func (r *Resolver) LookupHost(ctx context.Context, host string) ([]netip.Addr, error) {
	addrs, _, err := r.host(ctx, host, r.fourOf)
	return addrs, err
}

// LookupHost6 returns the IPv6 addresses of a host operand, as LookupHost. An
// IPv6 address, with brackets or without, is itself whatever the rules say.
func (r *Resolver) LookupHost6(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, ok := IPv6(host); ok {
		return []netip.Addr{addr}, nil
	}
	addrs, _, err := r.host(ctx, host, r.sixOf)
	return addrs, err
}

// LookupHosts returns the addresses of both families of a host operand. Those
// of IPv4 and the error are LookupHost's, and so is the name, as long as one
// has IPv4 addresses. Its IPv6 addresses are then not worth waiting for long:
// they have as much time as the others took, and r.Delay.
func (r *Resolver) LookupHosts(ctx context.Context, host string) (four, six []netip.Addr, err error) {
	if addr, ok := IPv6(host); ok {
		return nil, []netip.Addr{addr}, nil
	}
	start := time.Now()
	four, name, err := r.host(ctx, host, r.fourOf)
	if err != nil {
		return nil, nil, err
	}
	if len(four) == 0 {
		six, err = r.LookupHost6(ctx, host)
		return nil, six, err
	}
	now := time.Now()
	six, _ = r.sixOf(socket.Until(ctx, now.Add(now.Sub(start)+r.Delay)), name)
	return four, six, nil
}

// host returns the addresses of the first name that a host operand stands for
// and that has any, and the name.
func (r *Resolver) host(ctx context.Context, host string, lookup func(context.Context, string) ([]netip.Addr, error)) (addrs []netip.Addr, name string, err error) {
	rules, err := r.rules.get(r.readRules)
	if err != nil {
		return nil, "", failure(host, err)
	}
	for _, name := range qualify(host, rules) {
		if addrs, err = lookup(ctx, name); err != nil || len(addrs) > 0 {
			return addrs, name, err
		}
	}
	return nil, "", nil
}

// fourOf is LookupA for a name that may spell addresses.
func (r *Resolver) fourOf(ctx context.Context, name string) ([]netip.Addr, error) {
	if addrs, ok := literal(name); ok {
		return addrs, nil
	}
	return r.LookupA(ctx, name)
}

// sixOf is LookupAAAA for a name that may spell addresses.
func (r *Resolver) sixOf(ctx context.Context, name string) ([]netip.Addr, error) {
	if _, ok := literal(name); ok {
		return nil, nil
	}
	return r.LookupAAAA(ctx, name)
}

// IPv6 returns the IPv6 address that a host operand is: as text, in brackets
// if one likes, with its scope. One that maps an IPv4 address is that.
func IPv6(host string) (netip.Addr, bool) {
	if inner, found := strings.CutPrefix(host, "["); found && strings.HasSuffix(inner, "]") {
		host = inner[:len(inner)-1]
	}
	addr, err := netip.ParseAddr(host)
	return addr.Unmap(), err == nil && addr.Is6()
}
