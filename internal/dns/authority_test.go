package dns_test

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/dns"
)

func TestLookupNS(t *testing.T) {
	t.Parallel()
	r, _ := start(t, `
example.com NS b.ns.example
example.com NS A.NS.example.
example.com NS a.ns.example
key.example.com CNAME other.example
other.example NS ns.other.example
fails.example SERVFAIL
`)
	for name, want := range map[string]string{
		"example.com":     "a.ns.example b.ns.example",
		"Example.COM.":    "a.ns.example b.ns.example",
		"key.example.com": "", // what its target has is not its own
		"none.example":    "",
	} {
		got, err := r.LookupNS(t.Context(), name)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("LookupNS(%s) = %q, %v; want %q", name, got, err, want)
		}
	}
	r.Rounds = rounds(patience)
	if _, err := r.LookupNS(t.Context(), "fails.example"); !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a failing server: %v", err)
	}
}

func TestAskTXT(t *testing.T) {
	t.Parallel()
	// The servers of the environment are not asked.
	r := resolver("127.0.0.1:1")
	r.Rounds = rounds(patience)
	_, s := start(t, `
key.example TXT ("v=DKIM1; " "p=abc")
two.example TXT one
two.example TXT two
long.example TXT `+strings.Repeat("0123456789", 60)+`
in.example CNAME key.example
out.example CNAME next.example
next.example CNAME key.elsewhere.example
none.example A 192.0.2.1
loop.example CNAME loop.example
lame.example TXT from somebody's cache
lame.example LAME
refused.example REFUSED
`)
	server := netip.MustParseAddrPort(s.Addr())
	for name, want := range map[string]dns.Answer{
		"key.example":    {Texts: []string{"v=DKIM1; p=abc"}},
		"two.example":    {Texts: []string{"one", "two"}},
		"long.example":   {Texts: []string{strings.Repeat("0123456789", 60)}},
		"in.example":     {Texts: []string{"v=DKIM1; p=abc"}},
		"out.example":    {Alias: "key.elsewhere.example"},
		"none.example":   {},
		"absent.example": {},
		"loop.example":   {},
	} {
		got, err := r.AskTXT(t.Context(), server, name)
		if err != nil || !slices.Equal(got.Texts, want.Texts) || got.Alias != want.Alias {
			t.Errorf("AskTXT(%s) = %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]error{
		"lame.example":                    dns.ErrNotAuthoritative,
		"refused.example":                 syscall.EAGAIN,
		strings.Repeat("x", 64) + ".test": syscall.EPROTO,
	} {
		if got, err := r.AskTXT(t.Context(), server, name); !errors.Is(err, want) {
			t.Errorf("AskTXT(%.20s) = %q, %v; want %v", name, got, err, want)
		}
	}
}

// The question does not ask the server to ask others.
func TestAskTXTWantsNoRecursion(t *testing.T) {
	t.Parallel()
	flags := make(chan byte, 1)
	addr := raw(t, func(q []byte) (own, other [][]byte) {
		flags <- q[2]
		return [][]byte{with(q, func(p []byte) { p[2] = 0x84 })}, nil
	}, func(net.Conn) {})
	if _, err := resolver("").AskTXT(t.Context(), netip.MustParseAddrPort(addr), "host.example"); err != nil {
		t.Fatal(err)
	}
	if got := <-flags; got != 0 {
		t.Errorf("flags %#x", got)
	}
}
