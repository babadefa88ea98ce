package ruleslint

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

// explainMask looks at an address with a slash that is no block of addresses.
func explainMask(address string) (reason, mend string) {
	network, mask, _ := strings.Cut(address, "/")
	base, parts, ok := dotted(network)
	m, n, isMask := dotted(mask)
	length, err := strconv.Atoi(mask)
	switch {
	case isMask && n == 4:
		reason = "tcprules knows no netmasks"
		if length = bits.LeadingZeros32(^m); m<<length != 0 {
			return reason, ""
		}
	case err != nil:
		return "what stands behind / is not the length of a prefix", ""
	case length > 32:
		return "the length of a prefix goes up to 32", ""
	case ok && 8*parts < length:
		reason = "numbers of the address are missing"
	default:
		reason = "what stands before / is not an address"
	}
	if !ok {
		return reason, ""
	}
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], base)
	return reason, "write " + show(netip.PrefixFrom(netip.AddrFrom4(ip), length).Masked().String())
}

// dotted reads up to four numbers with dots between them.
func dotted(text string) (value uint32, parts int, ok bool) {
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "."), ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || parts == 4 {
			return 0, 0, false
		}
		value |= uint32(n) << (24 - 8*parts)
		parts++
	}
	return value, parts, true
}
