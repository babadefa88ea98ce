package ruleslint

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"ucspi-go/rules"
)

// mostRelay is how many addresses of the Internet may relay by one rule before
// that looks like a slip.
const mostRelay = 1 << 20

// relay looks at who may relay.
func (l *linter) relay(rule rules.Rule) {
	if _, relays := environ(rule).Lookup("RELAYCLIENT"); !relays {
		return
	}
	const mend = "; give RELAYCLIENT to the addresses of your own clients"
	switch kind := kindOf(rule); {
	case kind == rules.Everybody:
		l.find(kindOpenRelay, "an open relay: the rule lets everybody send mail to anywhere"+mend)
	case kind == rules.AddressBlock && blockOf(rule).Bits() == 0:
		l.find(kindOpenRelay, "an open relay: the rule lets every client that has such an address send mail to anywhere"+mend)
	case rule.Address == "=":
		l.find(kindOpenRelay, "an open relay: the rule lets everybody who has a name in the DNS send mail to anywhere"+mend)
	case kind == rules.NameSuffix && strings.Count(rule.Address, ".") == 1:
		l.find(kindWide, "all hosts whose names end in "+rule.Address[1:]+" may relay"+mend)
	case kind == rules.Name || kind == rules.NameSuffix || kind == rules.InfoAtName:
		if l.server == nil || l.server.RemoteHost && !l.server.Paranoid {
			l.find(kindForged, "anybody can give his address that name in the DNS, and then relay, unless tcpserver has -p; write addresses, or use -p and tell tcpruleslint -o -p")
		}
	case kind == rules.AddressPrefix && strings.Contains(rule.Address, ":"), kind == rules.AddressBlock && blockOf(rule).Addr().Is6():
		if bits := blockOf(rule).Bits(); bits < mostRelay6 && !isLocal(blockOf(rule).Addr()) {
			l.find(kindWide, "the clients of a /"+strconv.Itoa(bits)+" of IPv6 may relay, which is more than a provider has"+mend)
		}
	case kind == rules.AddressPrefix, kind == rules.AddressBlock:
		if n := public(rule); n >= mostRelay {
			l.find(kindWide, strconv.Itoa(n)+" addresses of the Internet may relay"+mend)
		}
	}
}

// mostRelay6 is the length of the shortest IPv6 prefix that may relay without
// a remark.
const mostRelay6 = 29

// blockOf returns the block of addresses that a rule has, or that begin as a
// rule of IPv6 text has it.
func blockOf(rule rules.Rule) netip.Prefix {
	for key := range rule.Keys() {
		if block, err := netip.ParsePrefix(rules.AddressOf(key)); err == nil {
			return block
		}
		groups, _, _ := strings.Cut(key, "::")
		groups = strings.TrimSuffix(groups, ":")
		addr, _ := netip.ParseAddr(groups + "::")
		return netip.PrefixFrom(addr, 16*(strings.Count(groups, ":")+1))
	}
	return netip.Prefix{}
}

// isLocal reports whether an IPv6 address is not one of the Internet: of
// loopback, a link, or by RFC 4193.
func isLocal(a netip.Addr) bool { return a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() }

// public returns how many addresses of the Internet the prefixes or the block
// of a rule cover: without those of loopback and private networks (RFC 1918,
// RFC 6598, RFC 3927).
func public(rule rules.Rule) (n int) {
	for key := range rule.Keys() {
		if block, err := netip.ParsePrefix(rules.AddressOf(key)); err == nil {
			raw := block.Addr().As4()
			n += publicIn(binary.BigEndian.Uint32(raw[:]), block.Bits())
			continue
		}
		base, parts, _ := dotted(key)
		n += publicIn(base, 8*parts)
	}
	return n
}

// publicIn counts in a network of at least one address.
func publicIn(base uint32, bits int) (n int) {
	if bits < 8 {
		half := uint32(1) << (31 - bits)
		return publicIn(base, bits+1) + publicIn(base|half, bits+1)
	}
	first, second := base>>24, base>>16&255
	all := 1 << (32 - bits)
	switch {
	case first == 0 || first == 10 || first == 127 || first >= 224:
		return 0
	case bits == 8:
		return all - private[first]<<16
	case bits < 16:
		half := uint32(1) << (31 - bits)
		return publicIn(base, bits+1) + publicIn(base|half, bits+1)
	case first == 172 && second>>4 == 1, first == 192 && second == 168, first == 100 && second>>6 == 1, first == 169 && second == 254:
		return 0
	}
	return all
}

// private is how many of the networks with that first number are private, by
// the second number.
var private = map[uint32]int{172: 16, 192: 1, 100: 64, 169: 1}
