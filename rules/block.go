package rules

import (
	"net/netip"
	"strconv"
)

// The key of a block of addresses is that of ucspi-tcp6 1.11: a mark and a
// byte for each bit of the prefix, 0 for a bit that is not set. For a bit that
// is set the byte says which one it is for IPv4, and the how many-eth set one
// for IPv6.
const (
	mark4   = '_'
	mark6   = '^'
	setBits = "abcdefghijklmnopqrstuvwxyz123456"
	firstOf = '`'
)

// blockKey returns the key of a block, "" for the zero Prefix. The key of a
// longer block with the same address begins with it.
func blockKey(p netip.Prefix) string {
	if !p.IsValid() {
		return ""
	}
	key := make([]byte, 1, 1+p.Bits())
	key[0] = mark6
	if p.Addr().Is4() {
		key[0] = mark4
	}
	one := byte(firstOf)
	raw := p.Addr().AsSlice()
	for i := range p.Bits() {
		switch set := raw[i/8]<<(i%8)&0x80 != 0; {
		case !set:
			key = append(key, '0')
		case p.Addr().Is4():
			key = append(key, setBits[i])
		default:
			key = append(key, one)
			one++
		}
	}
	return string(key)
}

// AddressOf returns the address under which a rules file has the rule whose
// record has that key: 10.0.0.0/8 for that of a block of addresses, and for
// others the key itself.
func AddressOf(key string) string {
	var raw [16]byte
	size := 16
	if len(key) > 0 && key[0] == mark4 {
		size = 4
	} else if len(key) == 0 || key[0] != mark6 {
		return key
	}
	bits := len(key) - 1
	if bits > 8*size {
		return key
	}
	for i := range bits {
		if key[1+i] != '0' {
			raw[i/8] |= 0x80 >> (i % 8)
		}
	}
	addr, _ := netip.AddrFromSlice(raw[:size])
	if blockKey(netip.PrefixFrom(addr, bits)) != key {
		return key
	}
	return addr.String() + "/" + strconv.Itoa(bits)
}
