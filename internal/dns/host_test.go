package dns_test

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/dns"
)

func TestLookupHost(t *testing.T) {
	r, s := start(t, `
mail.two.example A 192.0.2.1
full.example A 192.0.2.2
fault.one.example SERVFAIL
fault.two.example A 192.0.2.3
`)
	for host, want := range map[string][]netip.Addr{
		"mail":          addrs("192.0.2.1"),
		"full.example":  addrs("192.0.2.2"),
		"full.example.": addrs("192.0.2.2"),
		"mail.":         nil,
		"1.2.3.4":       addrs("1.2.3.4"),
		"256.0.0.1":     addrs("0.0.0.1"),
		"010.0.0.1":     addrs("10.0.0.1"),
		"[127.0.0.1]":   addrs("127.0.0.1"),
		"1[27].0.0.1":   addrs("127.0.0.1"),
		"1.2.3":         nil,
		"1..2.3":        addrs("1.0.2.3"),
		"1.2.3.4.":      addrs("1.2.3.4"),
		"a+.b+.example": nil,
		"full+.example": addrs("192.0.2.2"),
	} {
		got, err := r.LookupHost(t.Context(), host)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("LookupHost(%q) = %v, %v, want %v", host, got, err, want)
		}
	}
	for _, q := range s.Queries() {
		if strings.ContainsAny(strings.TrimPrefix(q, "udp 1 "), "0123456789") {
			t.Errorf("query %q for a literal address", q)
		}
	}
	if got, err := r.LookupHost(t.Context(), "fault"); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("LookupHost = %v, %v; want the failure of the first domain to count", got, err)
	}
}

func TestLookupHosts(t *testing.T) {
	t.Parallel()
	const zone = `
four.example A 192.0.2.1
six.example AAAA 2001:db8::1
both.example A 192.0.2.1
both.example AAAA 2001:db8::1
split.one.example AAAA 2001:db8::1
split.two.example A 192.0.2.1
late.example A 192.0.2.1
late.example TIMEOUT AAAA
bad.example A 192.0.2.1
bad.example SERVFAIL AAAA
worse.example AAAA 2001:db8::1
worse.example SERVFAIL A
worst.example SERVFAIL AAAA
`
	for host, want := range map[string]struct{ four, six []netip.Addr }{
		"four.example":  {addrs("192.0.2.1"), nil},
		"six.example":   {nil, addrs("2001:db8::1")},
		"both.example":  {addrs("192.0.2.1"), addrs("2001:db8::1")},
		"split":         {addrs("192.0.2.1"), nil}, // as it always was
		"late.example":  {addrs("192.0.2.1"), nil},
		"bad.example":   {addrs("192.0.2.1"), nil},
		"none.example":  {},
		"1.2.3.4":       {addrs("1.2.3.4"), nil},
		"1.2.3":         {},
		"2001:DB8::1":   {nil, addrs("2001:db8::1")},
		"[2001:db8::1]": {nil, addrs("2001:db8::1")},
		"fe80::1%eth0":  {nil, addrs("fe80::1%eth0")},
		"[2001:db8::1":  {},
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			r, s := start(t, zone)
			r.Delay = patience * time.Millisecond
			if host == "late.example" {
				r.Delay = 50 * time.Millisecond
			}
			four, six, err := r.LookupHosts(t.Context(), host)
			if err != nil || !slices.Equal(four, want.four) || !slices.Equal(six, want.six) {
				t.Errorf("LookupHosts = %v, %v, %v; want %v, %v", four, six, err, want.four, want.six)
			}
			if host != "late.example" && host != "bad.example" && host != "split" {
				if only, err := r.LookupHost6(t.Context(), host); err != nil || !slices.Equal(only, want.six) {
					t.Errorf("LookupHost6 = %v, %v; want %v", only, err, want.six)
				}
			}
			if _, literal := dns.IPv6(host); literal && len(s.Queries()) > 0 {
				t.Errorf("queries %q for a literal address", s.Queries())
			}
		})
	}
	r, _ := start(t, zone)
	for _, host := range []string{"worse.example", "worst.example"} {
		if four, six, err := r.LookupHosts(t.Context(), host); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("LookupHosts(%q) = %v, %v, %v; want a failure", host, four, six, err)
		}
	}
}
