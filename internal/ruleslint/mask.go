package ruleslint

import (
	"math/bits"
	"strconv"
	"strings"
)

// explainMask looks at an address with a slash: a prefix length or a netmask.
func explainMask(address string) (reason, mend string) {
	reason = "tcprules knows no / in an address"
	network, mask, _ := strings.Cut(address, "/")
	base, parts, ok := dotted(network)
	if !ok {
		return reason, ""
	}
	length, err := strconv.Atoi(mask)
	if err != nil {
		m, n, ok := dotted(mask)
		length = bits.LeadingZeros32(^m)
		if !ok || n != 4 || m<<length != 0 {
			return reason, ""
		}
	}
	if length < 0 || length > 32 || parts == 0 {
		return reason, ""
	}
	if length == 0 {
		return reason, "write the colon alone for everybody"
	}
	mend, _ = works(rangeOf(base, length))
	return reason, mend
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

// rangeOf returns the address of a rule for a network, of 1 to 32 bits.
func rangeOf(base uint32, length int) string {
	var b strings.Builder
	whole := (length - 1) / 8 // numbers before the one that the network ends in
	for i := range whole {
		b.WriteString(strconv.Itoa(int(byte(base>>(24-8*i)))) + ".")
	}
	free := 8*(whole+1) - length
	first := int(byte(base>>(24-8*whole))) >> free << free
	b.WriteString(strconv.Itoa(first))
	if free > 0 {
		b.WriteString("-" + strconv.Itoa(first+1<<free-1))
	}
	if whole < 3 {
		b.WriteByte('.')
	}
	return b.String()
}
