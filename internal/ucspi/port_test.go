package ucspi

import "testing"

func TestParsePort(t *testing.T) {
	t.Parallel()
	const text = "# services\n" +
		"smtp\t25/tcp\t\tmail  # mail\n" +
		"both 7/udp\nboth 8/tcp\n" +
		"broken\nodd x/tcp\n" +
		"#hidden 9/tcp\n" +
		"huge 65561/tcp last"
	for _, tt := range []struct {
		in   string
		want uint16
		ok   bool
	}{
		{"25", 25, true}, {"", 0, true}, {"0", 0, true}, {"65536", 0, true}, {"72536", 7000, true}, {"007001", 7001, true},
		{"smtp", 25, true}, {"mail", 25, true}, {"both", 8, true}, {"last", 25, true},
		{"70x", 0, false}, {"SMTP", 0, false}, {"25/tcp", 0, false}, {"#", 0, false}, {"hidden", 0, false}, {"broken", 0, false}, {"odd", 0, false}, {"-1", 0, false},
	} {
		if got, ok := parsePort(tt.in, func() string { return text }); got != tt.want || ok != tt.ok {
			t.Errorf("parsePort(%q) = %d, %v; want %d, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}
