package rules

import (
	"net/netip"
	"strconv"
	"strings"
)

// networkKey returns the key of an address that ucspi-tcp 0.88 does not know:
// an IPv6 address, a prefix of one, or CIDR notation. Known is whether it is
// meant as such, ok whether it is right. All others are their own keys.
//
// An IPv6 address is stored as RFC 5952 writes it, a prefix of its text with
// groups in that form, and one that maps an IPv4 address as that, since its
// clients are IPv4 clients.
func networkKey(address string) (key string, known, ok bool) {
	if strings.Contains(address, ":") {
		key, ok = ipv6Key(address)
		return key, true, ok
	}
	net, bits, found := strings.Cut(address, "/")
	if !found || bits == "" || strings.Trim(net, ".") == "" || strings.Trim(net, "0123456789.") != "" || strings.Trim(bits, "0123456789") != "" {
		return "", false, true
	}
	block, ok := block4(net, bits)
	return blockKey(block), true, ok
}

func ipv6Key(address string) (key string, ok bool) {
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		addr, ok := ipv6(address[at+1:])
		return address[:at+1] + addr.String(), ok && !strings.Contains(address[:at], ":")
	}
	if net, bits, found := strings.Cut(address, "/"); found {
		block, ok := block6(net, bits)
		return blockKey(block), ok
	}
	if addr, ok := ipv6(address); ok {
		return addr.String(), true
	}
	return prefixKey(address)
}

// ipv6 reads an IPv6 address without a scope: whatever is connected to this
// host may choose what link-local address it has, on any interface.
func ipv6(text string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(text)
	return addr.Unmap(), err == nil && addr.Is6() && addr.Zone() == ""
}

// prefixKey returns the key of what an IPv6 text begins with, up to a colon.
func prefixKey(text string) (key string, ok bool) {
	before, found := strings.CutSuffix(text, ":")
	if !found {
		return "", false
	}
	groups := strings.Split(before, ":")
	whole := text + "1"
	if !strings.Contains(text, "::") {
		const all = 8
		whole = text + strings.Repeat("1:", max(0, all-1-len(groups))) + "1"
	}
	if _, ok := ipv6(whole); !ok {
		return "", false
	}
	for i, g := range groups {
		if g != "" {
			groups[i] = strings.TrimLeft(strings.ToLower(g[:len(g)-1]), "0") + strings.ToLower(g[len(g)-1:])
		}
	}
	return strings.Join(groups, ":") + ":", true
}

// block4 reads a block of IPv4 addresses. Numbers of the address that are left
// out are 0, as in 127/8, 127./8 and 127.0/8, but not such that count.
func block4(net, length string) (netip.Prefix, bool) {
	const octets = 4
	parts := strings.Split(net, ".")
	if n := len(parts) - 1; n > 0 && n < octets && parts[n] == "" {
		parts = parts[:n]
	}
	bits, ok := blockLength(length, min(8*len(parts), 32))
	if !ok || len(parts) > octets {
		return netip.Prefix{}, false
	}
	addr, err := netip.ParseAddr(strings.Join(parts, ".") + strings.Repeat(".0", octets-len(parts)))
	return netip.PrefixFrom(addr, bits), err == nil
}

// block6 reads a block of IPv6 addresses, or of IPv4 ones as they are mapped.
func block6(net, length string) (netip.Prefix, bool) {
	addr, err := netip.ParseAddr(net)
	bits, ok := blockLength(length, 128)
	if err != nil || !ok || !addr.Is6() || addr.Zone() != "" {
		return netip.Prefix{}, false
	}
	const mapped = 96
	if addr.Is4In6() && bits >= mapped {
		return netip.PrefixFrom(addr.Unmap(), bits-mapped), true
	}
	return netip.PrefixFrom(addr, bits), true
}

func blockLength(s string, longest int) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return int(n), err == nil && int(n) <= longest
}
