package outbound

import (
	"net/netip"
	"testing"
)

func TestLiteral(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "[192.0.2.1]": "192.0.2.1", "[2001:db8::1]": "2001:db8::1", "[IPv6:2001:DB8:0::1]": "2001:db8::1",
		"[ipv6:::ffff:192.0.2.1]": "192.0.2.1", "2001:db8::1": "2001:db8::1",
		"example.com": "", "[example.com]": "", "[192.0.2.1": "", "192.0.2.1]": "", "192.0.2.256": "", "[]": "", "": "", "[IPv6:]": "",
	} {
		got, ok := Literal(host)
		if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
			t.Errorf("Literal(%q) = %v, %v, want %q", host, got, ok, want)
		}
	}
}

func TestSplitRelay(t *testing.T) {
	t.Parallel()
	type split struct {
		host string
		port uint16
	}
	for relay, want := range map[string]split{
		"relay.example": {"relay.example", 25}, "relay.example:587": {"relay.example", 587}, "1.2.3.4:26|user|password": {"1.2.3.4", 26},
		"[2001:db8::1]": {"[2001:db8::1]", 25}, "[2001:db8::1]:65535": {"[2001:db8::1]", 65535}, "": {"", 25}, ":26": {"", 26},
	} {
		if host, port, err := SplitRelay(relay); host != want.host || port != want.port || err != nil {
			t.Errorf("SplitRelay(%q) = %q, %d, %v; want %v", relay, host, port, err, want)
		}
	}
	for _, relay := range []string{"x:", "x:0", "x:65536", "x:a", "2001:db8::1", "[::1]:x", "x:99999999999999999999"} {
		if host, port, err := SplitRelay(relay); err != ErrPort {
			t.Errorf("SplitRelay(%q) = %q, %d, %v", relay, host, port, err)
		}
	}
}
