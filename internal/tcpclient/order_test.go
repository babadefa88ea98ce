package tcpclient

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// Of each pair the first is better. Those marked are the examples of RFC 6724
// section 10.2.
func TestCompare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, better, worse string }{ // each ADDRESS from SOURCE
		{"usable", "192.0.2.1 from 192.0.2.9", "2001:db8:1::1 from none"},
		{"RFC: matching scope", "2001:db8:1::1 from 2001:db8:1::2", "198.51.100.121 from 169.254.13.78"},
		{"RFC: matching scope", "198.51.100.121 from 198.51.100.117", "2001:db8:1::1 from fe80::1"},
		{"RFC: higher precedence", "2001:db8:1::1 from 2001:db8:1::2", "10.1.2.3 from 10.1.2.4"},
		{"RFC: smaller scope", "fe80::1 from fe80::2", "2001:db8:1::1 from 2001:db8:1::2"},
		{"RFC: longest matching prefix", "2001:db8:1::1 from 2001:db8:1::2", "2001:db8:3ffe::1 from 2001:db8:3f44::2"},
		{"RFC: matching label", "2002:c633:6401::1 from 2002:c633:6401::2", "2001:db8:1::1 from 2002:c633:6401::2"},
		{"RFC: higher precedence", "2001:db8:1::1 from 2001:db8:1::2", "2002:c633:6401::1 from 2002:c633:6401::2"},
		{"6to4 is worse than IPv4", "192.0.2.1 from 192.0.2.9", "2002:c633:6401::1 from 2002:c633:6401::2"},
		{"unique local", "192.0.2.1 from 192.0.2.9", "fd00::1 from fd00::2"},
		{"unique local without an own one", "192.0.2.1 from 192.0.2.9", "fd00::1 from 2001:db8::2"},
		{"this host", "::1 from ::1", "127.0.0.1 from 127.0.0.1"},
		{"site local", "192.0.2.1 from 192.0.2.9", "fec0::1 from fec0::2"},
	} {
		better, worse := parsePair(tt.better), parsePair(tt.worse)
		if compare(better, worse) >= 0 || compare(worse, better) <= 0 {
			t.Errorf("%s: %s is not better than %s", tt.name, tt.better, tt.worse)
		}
	}
	for _, pair := range []struct{ a, b string }{
		{"192.0.2.1 from 192.0.2.9", "203.0.113.1 from 192.0.2.9"},       // IPv4 stays random
		{"2001:db8::1 from 2001:db8::2", "2001:db8::3 from 2001:db8::2"}, // in one network
		{"2001:db8::1 from none", "192.0.2.1 from none"},
	} {
		if compare(parsePair(pair.a), parsePair(pair.b)) != 0 {
			t.Errorf("%s and %s are not equal", pair.a, pair.b)
		}
	}
}

func parsePair(s string) (d destination) {
	addr, from, _ := strings.Cut(s, " from ")
	d.addr = netip.MustParseAddr(addr)
	if from != "none" {
		d.source = netip.MustParseAddr(from)
	}
	return d
}

func TestAlternate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "1.1.1.1": "1.1.1.1", "1.1.1.1 1.1.1.2": "1.1.1.1 1.1.1.2",
		"::1 ::2 ::3 1.1.1.1 1.1.1.2":         "::1 1.1.1.1 ::2 1.1.1.2 ::3",
		"1.1.1.1 ::1 ::2 1.1.1.2 1.1.1.3 ::3": "1.1.1.1 ::1 1.1.1.2 ::2 1.1.1.3 ::3",
		"::1 1.1.1.1 1.1.1.2 1.1.1.3":         "::1 1.1.1.1 1.1.1.2 1.1.1.3",
	} {
		var list []destination
		for a := range strings.FieldsSeq(in) {
			list = append(list, destination{addr: netip.MustParseAddr(a)})
		}
		var got []string
		for _, a := range alternate(list) {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("alternate(%s) = %v, want %s", in, got, want)
		}
	}
}

// What cannot be reached from here comes last.
func TestSorted(t *testing.T) {
	t.Parallel()
	addrs := []netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("127.0.0.1")}
	want := []netip.Addr{addrs[1], addrs[0]}
	if got := sorted(addrs, netip.Addr{}); !slices.Equal(got, want) {
		t.Errorf("sorted = %v, want %v: the other has no scope", got, want)
	}
	if got := source(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.7")); got != netip.MustParseAddr("127.0.0.7") {
		t.Errorf("source %v, want the local address that was given", got)
	}
	if got := source(netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")); got.IsValid() {
		t.Errorf("source %v, want none with an address of somebody else", got)
	}
}
