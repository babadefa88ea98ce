package tcpclient

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"syscall"

	"ucspi-go/internal/socket"
)

// A destination is an address with the one from which this host would talk to
// it, which is not valid if it has none.
type destination struct{ addr, source netip.Addr }

// sorted returns the addresses by RFC 6724 section 6, the best first, but
// then the families in turn, as RFC 8305 section 4 wants them tried. IPv4
// addresses are among themselves in the order in which they are given, which
// is random.
func sorted(addrs []netip.Addr, local netip.Addr) []netip.Addr {
	var list []destination
	for _, a := range addrs {
		list = append(list, destination{a, source(a, local)})
	}
	slices.SortStableFunc(list, compare)
	return alternate(list)
}

// alternate takes one address of each family in turn, as long as there are.
func alternate(list []destination) (addrs []netip.Addr) {
	for len(list) > 0 {
		next := 0
		if n := len(addrs); n > 0 {
			next = max(0, slices.IndexFunc(list, func(d destination) bool { return d.addr.Is4() != addrs[n-1].Is4() }))
		}
		addrs = append(addrs, list[next].addr)
		list = slices.Delete(list, next, next+1)
	}
	return addrs
}

// source asks the kernel for the address from which it would talk. Nothing is
// sent.
func source(a, local netip.Addr) netip.Addr {
	fd, err := syscall.Socket(socket.Family(a), syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return netip.Addr{}
	}
	defer syscall.Close(fd)
	if local.IsValid() && syscall.Bind(fd, socket.Sockaddr(netip.AddrPortFrom(local, 0))) != nil {
		return netip.Addr{}
	}
	const anyPort = 9
	if syscall.Connect(fd, socket.Sockaddr(netip.AddrPortFrom(a, anyPort))) != nil {
		return netip.Addr{}
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		return netip.Addr{}
	}
	from, _ := socket.AddrPort(sa)
	return from.Addr()
}

// compare is negative when a is to be tried before b, by those rules of RFC
// 6724 section 6 that need no more than the addresses.
func compare(a, b destination) int {
	if c := -compareBool(a.source.IsValid(), b.source.IsValid()); c != 0 || !a.source.IsValid() {
		return c // rule 1: avoid unusable destinations
	}
	pa, pb := policyOf(a.addr), policyOf(b.addr)
	if c := cmp.Or(
		-compareBool(scope(a.addr) == scope(a.source), scope(b.addr) == scope(b.source)), // 2: matching scope
		-compareBool(pa.label == policyOf(a.source).label, pb.label == policyOf(b.source).label),
		-cmp.Compare(pa.precedence, pb.precedence), // 6
		cmp.Compare(scope(a.addr), scope(b.addr)),  // 8: smaller scope
	); c != 0 || a.addr.Is4() || b.addr.Is4() {
		return c
	}
	return -cmp.Compare(common(a), common(b)) // 9: longest matching prefix
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// A policy is a line of the table of RFC 6724 section 2.1.
type policy struct {
	prefix            netip.Prefix
	precedence, label int
}

var policies = []policy{ // the longest prefixes first
	{netip.MustParsePrefix("::1/128"), 50, 0},
	{netip.MustParsePrefix("::ffff:0:0/96"), 35, 4},
	{netip.MustParsePrefix("::/96"), 1, 3},
	{netip.MustParsePrefix("2001::/32"), 5, 5},
	{netip.MustParsePrefix("2002::/16"), 30, 2},
	{netip.MustParsePrefix("3ffe::/16"), 1, 12},
	{netip.MustParsePrefix("fec0::/10"), 1, 11},
	{netip.MustParsePrefix("fc00::/7"), 3, 13},
	{netip.MustParsePrefix("::/0"), 40, 1},
}

func policyOf(a netip.Addr) policy {
	a = netip.AddrFrom16(a.As16()) // an IPv4 address is mapped, and there is no scope
	i := slices.IndexFunc(policies, func(p policy) bool { return p.prefix.Contains(a) })
	return policies[i]
}

// The scopes of RFC 4291 section 2.7, and of IPv4 addresses by RFC 6724
// section 3.2.
const (
	linkLocal = 2
	siteLocal = 5
	global    = 14
)

func scope(a netip.Addr) int {
	switch {
	case a.IsLoopback(), a.IsLinkLocalUnicast():
		return linkLocal
	case a.Is6() && a.IsMulticast():
		return int(a.As16()[1] & 15)
	case a.Is6() && policyOf(a).label == 11:
		return siteLocal
	}
	return global
}

// common counts the bits that an address has in common with its source, up to
// the 64 of a network.
func common(d destination) int {
	a, b := d.addr.As16(), d.source.As16()
	for i := range 8 {
		if x := a[i] ^ b[i]; x != 0 {
			return 8*i + bits.LeadingZeros8(x)
		}
	}
	return 64
}
