package domainkey

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
	"ucspi-go/qmaildkim"
)

// A net is the name servers of a test: a resolver, and servers that stand for
// the addresses 192.0.2.1 and up, each with its zone.
type net struct {
	world
	environ []string
	servers []*dnsserver.Server
}

// patience is what a busy machine has time for to answer.
const patience = 20 * time.Second

// newNet starts servers.
func newNet(t *testing.T, resolver string, zones ...string) *net {
	t.Helper()
	n := &net{world: usual}
	n.environ = []string{"DNSCACHEIP=" + testprog.NameServer(t, resolver, dnsserver.Start).Addr()}
	to := map[netip.Addr]netip.AddrPort{}
	addr := netip.MustParseAddr("192.0.2.1")
	for _, zone := range zones {
		s := testprog.NameServer(t, zone, dnsserver.Start)
		n.servers = append(n.servers, s)
		to[addr] = netip.MustParseAddrPort(s.Addr())
		addr = addr.Next()
	}
	n.rounds = []time.Duration{patience}
	n.lookups = n.rounds
	n.rules = "/nonexistent/tcp.smtp"
	n.server = func(a netip.Addr) netip.AddrPort {
		return to[a]
	}
	return n
}

const twoServers = `
example.com NS a.ns.example
example.com NS b.ns.example
a.ns.example A 192.0.2.1
b.ns.example A 192.0.2.2
`

// keyOf makes a key and returns the lines that publish it in a test's zone.
func keyOf(t *testing.T, home string, args ...string) string {
	t.Helper()
	zone, stderr, code := run(t, home, args...)
	if code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
	return zone
}

func TestCheck(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	record := keyOf(t, home, "-b", "1024", "example.com", "next")
	other := strings.Replace(keyOf(t, home, "-b", "1024", "example.com", "other"), "other.", "next.", 1)
	const at = " next._domainkey.example.com"
	for _, tt := range []struct {
		name     string
		resolver string
		zones    []string
		want     string
		code     int
	}{
		{"published", twoServers, []string{record, record},
			"match a.ns.example 192.0.2.1" + at + "\nmatch b.ns.example 192.0.2.2" + at + "\n", 0},
		{"one lags", twoServers, []string{record, "example.com A 192.0.2.9"},
			"match a.ns.example 192.0.2.1" + at + "\nmissing b.ns.example 192.0.2.2" + at + "\n", 1},
		{"one has another key", twoServers, []string{other, record},
			"differs a.ns.example 192.0.2.1" + at + ": another key\nmatch b.ns.example 192.0.2.2" + at + "\n", 1},
		{"one has revoked it, one fails", twoServers, []string{`next._domainkey.example.com TXT v=DKIM1; p=`, "* SERVFAIL"},
			"revoked a.ns.example 192.0.2.1" + at + "\ntemporary b.ns.example 192.0.2.2" + at + ": temporary failure\n", 1},
		{"one fails", twoServers, []string{record, "* SERVFAIL"},
			"match a.ns.example 192.0.2.1" + at + "\ntemporary b.ns.example 192.0.2.2" + at + ": temporary failure\n", 111},
		{"one knows nothing of the zone", twoServers, []string{record, record + "next._domainkey.example.com LAME"},
			"match a.ns.example 192.0.2.1" + at + "\ntemporary b.ns.example 192.0.2.2" + at + ": not authoritative\n", 111},
		{"one has no address", "example.com NS a.ns.example\nexample.com NS b.ns.example\na.ns.example A 192.0.2.1", []string{record},
			"match a.ns.example 192.0.2.1" + at + "\ntemporary b.ns.example -" + at + ": it has no address\n", 111},
		{"an address cannot be looked up", "example.com NS a.ns.example\na.ns.example A 192.0.2.1\na.ns.example SERVFAIL AAAA", []string{record},
			"match a.ns.example 192.0.2.1" + at + "\ntemporary a.ns.example -" + at + ": its address: temporary failure\n", 111},
		{"testing", twoServers, []string{record, strings.Replace(record, "p=", "t=y; p=", 1)},
			"match a.ns.example 192.0.2.1" + at + "\nmatch b.ns.example 192.0.2.2" + at + ": t=y asks verifiers to ignore failures\n", 0},
		{"a zone of its own", "example.com NS a.ns.example\n_domainkey.example.com NS b.ns.example\na.ns.example A 192.0.2.1\nb.ns.example A 192.0.2.2", []string{"", record},
			"match b.ns.example 192.0.2.2" + at + "\n", 0},
		{"alias", twoServers + "dkim.example NS c.ns.example\nc.ns.example A 192.0.2.3", []string{
			"next._domainkey.example.com CNAME k1.dkim.example", record, strings.Replace(record, "next._domainkey.example.com", "k1.dkim.example", 1)},
			"alias a.ns.example 192.0.2.1" + at + ": k1.dkim.example\nmatch b.ns.example 192.0.2.2" + at + "\nmatch c.ns.example 192.0.2.3 k1.dkim.example\n", 0},
		{"alias to nothing", "example.com NS a.ns.example\na.ns.example A 192.0.2.1\ndkim.example NS a.ns.example", []string{"next._domainkey.example.com CNAME k1.dkim.example"},
			"alias a.ns.example 192.0.2.1" + at + ": k1.dkim.example\nmissing a.ns.example 192.0.2.1 k1.dkim.example\n", 1},
		{"no zone", "other.example NS a.ns.example", nil, "", 111},
		{"the resolver fails", "* SERVFAIL", nil, "", 111},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNet(t, tt.resolver, tt.zones...)
			environ := n.environ
			stdout, stderr, code := runIn(t, n.world, home, environ, "-c", "example.com", "next")
			if stdout != tt.want || code != tt.code {
				t.Errorf("exit %d, want %d\n%swant\n%s%s", code, tt.code, stdout, tt.want, stderr)
			}
			if tt.want == "" != strings.HasPrefix(stderr, "domainkey: fatal: unable to find the name servers of next._domainkey.example.com: ") {
				t.Errorf("%q", stderr)
			}
		})
	}
}

// Both keys of -t both are checked.
func TestCheckSecond(t *testing.T) {
	t.Parallel()
	home := newHome(t)
	both := keyOf(t, home, "-t", "both", "example.com")
	first, _, _ := strings.Cut(both, "\n")
	n := newNet(t, "example.com NS a.ns.example\na.ns.example A 192.0.2.1", first)
	stdout, _, code := runIn(t, n.world, home, n.environ, "-c", "example.com")
	want := "match a.ns.example 192.0.2.1 default._domainkey.example.com\nmissing a.ns.example 192.0.2.1 default-ed25519._domainkey.example.com\n"
	if stdout != want || code != 1 {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}

// Where this host has no route, another address of the server will do; a
// server of which no address can be asked is trouble.
func TestForgive(t *testing.T) {
	t.Parallel()
	none := netip.Addr{}
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for _, tt := range []struct {
		seen []observation
		code int
	}{
		{[]observation{observed("a", four, "match"), observed("a", six, unasked)}, 0},
		{[]observation{observed("a", four, "match"), observed("b", six, unasked)}, 111},
		{[]observation{observed("a", four, unasked), observed("a", six, unasked)}, 111},
		{[]observation{observed("a", four, "missing"), observed("a", six, unasked)}, 1},
		{[]observation{observed("a", none, "temporary"), observed("a", six, unasked)}, 111},
	} {
		forgive(tt.seen)
		if code := verdict(tt.seen); code != tt.code {
			t.Errorf("%v: %d, want %d", tt.seen, code, tt.code)
		}
	}
}

func observed(host string, addr netip.Addr, state string) observation {
	return observation{host: host, addr: addr, Publication: qmaildkim.Publication{State: state}}
}

// A zone with more servers than can be meant is not asked.
func TestTooManyServers(t *testing.T) {
	t.Parallel()
	zone := "a.ns.example A 192.0.2.1\n"
	for i := range maxServers {
		zone += "a.ns.example A 192.0.2." + strconv.Itoa(i+2) + "\n"
	}
	home := newHome(t)
	keyOf(t, home, "-b", "1024", "example.com")
	n := newNet(t, "example.com NS a.ns.example\n"+zone)
	stdout, stderr, code := runIn(t, n.world, home, n.environ, "-c", "example.com")
	if code != 111 || stdout != "" || !strings.Contains(stderr, ": the zone has too many\n") {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
}

// A server that this host cannot send to is not one that has agreed.
func TestNoRoute(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	home := newHome(t)
	keyOf(t, home, "-b", "1024", "example.com")
	n := newNet(t, "example.com NS a.ns.example\na.ns.example AAAA 2001:db8::1")
	n.server = usual.server
	stdout, _, code := runIn(t, n.world, home, n.environ, "-c", "example.com")
	if want := "temporary a.ns.example 2001:db8::1 default._domainkey.example.com: network unreachable\n"; stdout != want || code != 111 {
		t.Errorf("exit %d\n%s", code, stdout)
	}
}
