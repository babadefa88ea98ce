package tcpserver

import (
	"slices"
	"strings"
	"testing"
)

func TestFilePages(t *testing.T) {
	t.Parallel()
	const untouched = "Rss:   12 kB\nAnonymous:             0 kB\nVmFlags: rd ex mr mw me sd\n"
	for _, tt := range []struct {
		name, smaps string
		want        []pages
	}{
		{"program", "00400000-004d1000 r-xp 00000000 fe:00 10004217   /usr/bin/tcpserver\n" + untouched, []pages{{0x400000, 0xd1000}}},
		{"two", "00400000-00401000 r-xp 00000000 fe:00 1   /a\n" + untouched + "00401000-00402000 r--p 00000000 fe:00 1   /a\n" + untouched,
			[]pages{{0x400000, 0x1000}, {0x401000, 0x1000}}},
		{"blanks and colons", "004d1000-005ea000 r--p 000d1000 fe:00 1   /a name: 0 kB\n" + untouched, []pages{{0x4d1000, 0x119000}}},
		{"relocated", "004d1000-005ea000 r--p 000d1000 fe:00 1   /a\nRss: 8 kB\nAnonymous:    4 kB\n", nil},
		{"nothing said", "004d1000-005ea000 r--p 000d1000 fe:00 1   /a\nRss: 8 kB\n", nil},
		{"writable", "005ea000-005f6000 rw-p 001ea000 fe:00 1   /a\n" + untouched, nil},
		{"no file", "005f6000-0062c000 r--p 00000000 00:00 0\n" + untouched, nil},
		{"runtime", "30f3c000000-30f3c800000 r--p 00000000 00:00 0    [anon: Go: heap]\n" + untouched, nil},
		{"kernel", "7fe657639000-7fe65763b000 r-xp 00000000 00:00 0  [vdso]\n" + untouched, nil},
		{"no file after a file", "00400000-00401000 r-xp 00000000 fe:00 1 /a\n" + "005f6000-0062c000 r--p 00000000 00:00 0\n" + untouched, nil},
		{"no addresses", "x-y r-xp 00000000 fe:00 1 /f\n" + untouched, nil},
		{"empty", "", nil},
	} {
		if got := filePages(strings.NewReader(tt.smaps)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %#x, want %#x", tt.name, got, tt.want)
		}
	}
}
