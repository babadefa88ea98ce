package tcpserver

import "testing"

func TestProgramPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		line       string
		from, size uintptr
		ok         bool
	}{
		{"00400000-004d1000 r-xp 00000000 fe:00 10004217   /usr/bin/tcpserver\n", 0x400000, 0xd1000, true},
		{"004d1000-005ea000 r--p 000d1000 fe:00 10004217   /a name with blanks\n", 0x4d1000, 0x119000, true},
		{"005ea000-005f6000 rw-p 001ea000 fe:00 10004217   /usr/bin/tcpserver\n", 0, 0, false},
		{"005f6000-0062c000 rw-p 00000000 00:00 0\n", 0, 0, false},
		{"30f3c000000-30f3c800000 r--p 00000000 00:00 0    [anon: Go]\n", 0, 0, false},
		{"7fe657639000-7fe65763b000 r-xp 00000000 00:00 0  [vdso]\n", 0, 0, false},
		{"x-y r-xp 00000000 fe:00 1 /f\n", 0, 0, false},
		{"", 0, 0, false},
	} {
		from, size, ok := programPages(tt.line)
		if ok != tt.ok || ok && (from != tt.from || size != tt.size) {
			t.Errorf("programPages(%q) = %#x, %#x, %v", tt.line, from, size, ok)
		}
	}
}
