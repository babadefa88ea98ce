package dns

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	maxName  = 255 // bytes of a name in a packet, final zero included
	maxLabel = 63
)

// Wire returns the name as packets carry it: labels of any bytes, each after
// its length, and a zero. In text a backslash stands before one to three
// octal digits or before a byte that is taken as it is; empty labels, the
// final dot among them, are skipped. A label over 63 or a name over 255 bytes
// is syscall.EPROTO. As ucspi-tcp 0.88 dns_dfd.c.
func Wire(text string) ([]byte, error) {
	var name, label []byte
	end := func() {
		if len(label) > 0 {
			name = append(append(name, byte(len(label))), label...)
			label = label[:0]
		}
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '.' {
			end()
			continue
		}
		if c == '\\' {
			if i++; i == len(text) {
				break
			}
			c = text[i]
			if isOctal(c) {
				c -= '0'
				for n := 0; n < 2 && i+1 < len(text) && isOctal(text[i+1]); n++ {
					i++
					c = c<<3 + text[i] - '0'
				}
			}
		}
		if label = append(label, c); len(label) > maxLabel {
			return nil, syscall.EPROTO
		}
	}
	end()
	if name = append(name, 0); len(name) > maxName {
		return nil, syscall.EPROTO
	}
	return name, nil
}

func isOctal(c byte) bool { return '0' <= c && c <= '7' }

// Text returns a name of a packet as text in lower case, without final dot.
// Bytes other than letters, digits, "-" and "_" are written as a backslash
// and three octal digits; the root is ".". As ucspi-tcp 0.88 dns_dtda.c.
func Text(wire []byte) string {
	if len(wire) == 0 || wire[0] == 0 {
		return "."
	}
	var b strings.Builder
	for len(wire) > 0 && wire[0] != 0 && int(wire[0]) < len(wire) {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		for _, c := range wire[1 : 1+wire[0]] {
			c = lower(c)
			if 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' {
				b.WriteByte(c)
			} else {
				b.Write([]byte{'\\', '0' + c>>6, '0' + c>>3&7, '0' + c&7})
			}
		}
		wire = wire[1+wire[0]:]
	}
	return b.String()
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// sameName compares names of packets without regard to case. Length bytes are
// below 64 and so are no letters.
func sameName(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// Reverse returns the name whose PTR record names the address: under
// in-addr.arpa for IPv4, also when mapped into IPv6, else under ip6.arpa.
func Reverse(addr netip.Addr) string {
	const hex = "0123456789abcdef"
	addr = addr.Unmap()
	raw := addr.AsSlice()
	slices.Reverse(raw)
	var b []byte
	if addr.Is4() {
		for _, c := range raw {
			b = append(strconv.AppendUint(b, uint64(c), 10), '.')
		}
		return string(b) + "in-addr.arpa"
	}
	for _, c := range raw {
		b = append(b, hex[c&15], '.', hex[c>>4], '.')
	}
	return string(b) + "ip6.arpa"
}
