package prog

// Number reads the leading decimal digits of s and ignores the rest; no
// digits give 0 and an overflow wraps at 64 bits. n is the count of digits
// read. As ucspi-tcp 0.88 scan_ulong.c.
func Number(s string) (value uint64, n int) {
	for n < len(s) && s[n]-'0' < 10 {
		value = value*10 + uint64(s[n]-'0')
		n++
	}
	return value, n
}

// Leading is Number without the count.
func Leading(s string) uint64 {
	value, _ := Number(s)
	return value
}
