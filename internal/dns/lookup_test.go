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
	"ucspi-go/internal/dnsserver"
)

// start returns a server with the zone and a resolver that asks it.
func start(t *testing.T, zone string) (*dns.Resolver, *dnsserver.Server) {
	t.Helper()
	z, err := dnsserver.ParseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dnsserver.Start(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return resolver(s.Addr()), s
}

// patience is what a busy machine has time for to answer, in milliseconds.
const patience = 10000

func rounds(milliseconds ...time.Duration) []time.Duration {
	for i := range milliseconds {
		milliseconds[i] *= time.Millisecond
	}
	return milliseconds
}

func resolver(cacheIP string) *dns.Resolver {
	r := dns.New(environ(map[string]string{"DNSCACHEIP": cacheIP, "LOCALDOMAIN": "one.example two.example"}))
	r.Rounds = rounds(patience, 60, patience)
	r.TCPStep = 10 * time.Second
	return r
}

func environ(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := vars[name]
		return value, set
	}
}

func addrs(texts ...string) (list []netip.Addr) {
	for _, s := range texts {
		list = append(list, netip.MustParseAddr(s))
	}
	return list
}

func TestLookupPTR(t *testing.T) {
	r, _ := start(t, `
1.2.0.192.in-addr.arpa PTR Mail.Example.ORG.
2.2.0.192.in-addr.arpa PTR we\055ird\072na\040m\056e.exa\343mple
3.2.0.192.in-addr.arpa PTR first.example
3.2.0.192.in-addr.arpa PTR second.example
4.2.0.192.in-addr.arpa CNAME 4.0-7.2.0.192.in-addr.arpa
4.0-7.2.0.192.in-addr.arpa PTR delegated.example
5.2.0.192.in-addr.arpa TXT no PTR here
6.2.0.192.in-addr.arpa PTR .
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.example
`)
	for addr, want := range map[string]string{
		"192.0.2.1":        "mail.example.org",
		"192.0.2.2":        `we-ird\072na\040m\056e.exa\343mple`,
		"192.0.2.3":        "first.example",
		"192.0.2.4":        "delegated.example",
		"192.0.2.5":        "",
		"192.0.2.6":        ".",
		"192.0.2.9":        "",
		"::ffff:192.0.2.1": "mail.example.org",
		"2001:db8::1":      "six.example",
	} {
		got, err := r.LookupPTR(t.Context(), netip.MustParseAddr(addr))
		if err != nil || got != want {
			t.Errorf("LookupPTR(%s) = %q, %v, want %q", addr, got, err, want)
		}
	}
}

func TestLookupA(t *testing.T) {
	r, s := start(t, `
host.example A 192.0.2.1
host.example A 192.0.2.2
host.example AAAA 2001:db8::1
alias.example CNAME more.example
more.example CNAME host.example
loop.example CNAME loop2.example
loop2.example CNAME loop.example
we\055ird\072na\040me.example A 192.0.2.3
1.2.3.4 A 192.0.2.4
`)
	for name, want := range map[string][]netip.Addr{
		"host.example":                    addrs("192.0.2.1", "192.0.2.2"),
		"HOST..Example.":                  addrs("192.0.2.1", "192.0.2.2"),
		"alias.example":                   addrs("192.0.2.1", "192.0.2.2"),
		"loop.example":                    nil,
		"none.example":                    nil,
		`we-ird\072na\40\155\e.example`:   addrs("192.0.2.3"),
		"1.2.3.4":                         addrs("192.0.2.4"),
		strings.Repeat("a", 63) + ".test": nil,
	} {
		got, err := r.LookupA(t.Context(), name)
		slices.SortFunc(got, netip.Addr.Compare)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("LookupA(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	got, err := r.LookupAAAA(t.Context(), "host.example")
	if err != nil || !slices.Equal(got, addrs("2001:db8::1")) {
		t.Errorf("LookupAAAA = %v, %v", got, err)
	}
	asked := len(s.Queries())
	for _, name := range []string{strings.Repeat("a", 64) + ".test", strings.Repeat("a.", 127) + "bb"} {
		_, err := r.LookupA(t.Context(), name)
		var e *dns.Error
		if !errors.As(err, &e) || e.Temporary() || !errors.Is(err, syscall.EPROTO) {
			t.Errorf("LookupA(%q) = %v, want a permanent protocol error", name, err)
		}
	}
	if n := len(s.Queries()); n != asked {
		t.Errorf("%d queries for names that no packet can carry", n-asked)
	}
}

// The order of several addresses is a matter of chance, so that clients
// spread over them.
func TestLookupAShuffles(t *testing.T) {
	r, _ := start(t, "host.example A 192.0.2.1\nhost.example A 192.0.2.2\n")
	first := map[netip.Addr]bool{}
	for range 100 {
		got, err := r.LookupA(t.Context(), "host.example")
		if err != nil || len(got) != 2 {
			t.Fatalf("LookupA = %v, %v", got, err)
		}
		first[got[0]] = true
	}
	if len(first) != 2 {
		t.Errorf("always %v first", first)
	}
}

func TestLookupTXT(t *testing.T) {
	long := strings.Repeat("x", 60000)
	r, s := start(t, `
two.example TXT "v=DKIM1; k=rsa; " "p=abc"
two.example TXT ("other;" " one")
odd.example TXT `+"a\x01\xffz"+`
empty.example TXT ""
long.example TXT `+long+"\n")
	for name, want := range map[string][]string{
		"two.example":   {"v=DKIM1; k=rsa; p=abc", "other; one"},
		"odd.example":   {"a\x01\xffz"},
		"empty.example": {""},
		"long.example":  {long},
		"none.example":  nil,
	} {
		got, err := r.LookupTXT(t.Context(), name)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("LookupTXT(%s) = %.100q, %v, want %.100q", name, got, err, want)
		}
	}
	if q := s.Queries(); !slices.Contains(q, "tcp 16 long.example") || slices.Contains(q, "tcp 16 two.example") {
		t.Errorf("queries %q, want TCP for the long answer alone", q)
	}
}

func TestLookupMX(t *testing.T) {
	r, _ := start(t, `
several.example MX 20 second.example
several.example MX 10 First.Example.
several.example MX 20 first-of-20.example
several.example MX 65535 last.example
several.example A 192.0.2.1
none.example A 192.0.2.1
null.example MX 0 .
alias.example CNAME several.example
dangling.example CNAME nowhere.example
odd.example MX 5 o\144d\040name.example
later.example SERVFAIL MX
big.example MX 1 `+strings.Repeat("x", 60)+".example\n"+strings.Repeat("big.example MX 1 "+strings.Repeat("y", 60)+".example\n", 10))
	several := []dns.MX{{10, "first.example"}, {20, "second.example"}, {20, "first-of-20.example"}, {65535, "last.example"}}
	for name, want := range map[string]struct {
		exchangers []dns.MX
		exists     bool
	}{
		"several.example":  {several, true},
		"alias.example":    {several, true},
		"none.example":     {nil, true},
		"nowhere.example":  {nil, false},
		"dangling.example": {nil, true},
		"null.example":     {[]dns.MX{{0, "."}}, true},
		"odd.example":      {[]dns.MX{{5, `odd\040name.example`}}, true},
	} {
		got, exists, err := r.LookupMX(t.Context(), name)
		if err != nil || exists != want.exists || !slices.Equal(got, want.exchangers) {
			t.Errorf("LookupMX(%s) = %v, %v, %v, want %v", name, got, exists, err, want)
		}
	}
	var failed *dns.Error
	if _, _, err := r.LookupMX(t.Context(), "later.example"); !errors.As(err, &failed) || !failed.Temporary() {
		t.Errorf("later.example: %v", err)
	}
	if _, _, err := r.LookupMX(t.Context(), strings.Repeat("x", 64)); !errors.As(err, &failed) || failed.Temporary() {
		t.Errorf("a label of 64 bytes: %v", err)
	}
	if got, _, err := r.LookupMX(t.Context(), "big.example"); len(got) != 11 || err != nil {
		t.Errorf("big.example: %d, %v", len(got), err)
	}
}
