package tcpserver

import "net/netip"

// A block is the addresses that have so many leading bits in common, an
// address being one of 128 bits: IPv4 addresses are those of ::ffff:0:0/96.
// It has no pointers, which keeps tables of blocks away from the garbage
// collector.
type block struct {
	addr [16]byte
	bits uint8
}

// blockOf returns the block of an address. Zones make no difference.
func blockOf(a netip.Addr, bits uint8) block { return block{a.As16(), 128}.wider(bits) }

// wider returns the block of fewer bits in which b lies.
func (b block) wider(bits uint8) block {
	for i := range b.addr {
		keep := max(0, min(8, int(bits)-8*i))
		b.addr[i] &= ^byte(0) << (8 - keep)
	}
	b.bits = bits
	return b
}
