package qmailremote

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/internal/socket"
)

func TestRoute(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.write("control/smtproutes", `# nothing
Example.com:one.example
.example.com:Two.example:2525x
twice.example:first
twice.example:last
mx.example.net:
.six.example:[2001:db8::1]:26
tagged.example:[IPv6:2001:db8::2]
quad.example:192.0.2.1:27
no colon
:default.example:587|user|password
`)
	c, err := readConfig(s.home)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]route{
		"example.com":       {"one.example", 25, true},
		"EXAMPLE.COM":       {"one.example", 25, true},
		"x.example.com":     {"Two.example", 2525, true},
		"y.X.Example.com":   {"Two.example", 2525, true},
		"xexample.com":      {"default.example", 587, true},
		"twice.example":     {"last", 25, true},
		"mx.example.net":    {"mx.example.net", 25, false},
		"a.six.example":     {"[2001:db8::1]", 26, true},
		"six.example":       {"default.example", 587, true},
		"tagged.example":    {"[IPv6:2001:db8::2]", 25, true},
		"quad.example":      {"192.0.2.1", 27, true},
		"no colon":          {"default.example", 587, true},
		"[192.0.2.1]":       {"default.example", 587, true},
		"":                  {"default.example", 587, true},
		"elsewhere.example": {"default.example", 587, true},
	} {
		if got, err := c.route(host); got != want || err != nil {
			t.Errorf("route(%q) = %v, %v, want %v", host, got, err, want)
		}
	}
	delete(c.routes, "")
	if got, err := c.route("elsewhere.example"); got != (route{"elsewhere.example", 25, false}) || err != nil {
		t.Errorf("without a default: %v, %v", got, err)
	}
}

const mailZone = `
plain.example A 192.0.2.1
plain.example AAAA 2001:db8::1
several.example MX 20 b.example
several.example MX 10 a.example
several.example MX 30 c.example
a.example A 192.0.2.10
a.example AAAA 2001:db8::10
b.example A 192.0.2.20
c.example AAAA 2001:db8::30
backup.example MX 10 a.example
backup.example MX 20 me.example
backup.example MX 20 b.example
backup.example MX 30 c.example
me.example A 192.0.2.99
me.example A 127.0.0.1
six.example MX 10 c.example
six.example MX 20 loop.example
loop.example AAAA ::1
half.example MX 10 cold.example
half.example MX 20 b.example
cold.example SERVFAIL
onlyme.example MX 10 cold.example
onlyme.example MX 20 me.example
loopback.example A 127.0.0.2
noaaaa.example A 192.0.2.40
noaaaa.example SERVFAIL AAAA
onlya.example SERVFAIL AAAA
alias.example CNAME several.example
xn--bcher-kva.example MX 10 xn--bcher-kva.example
xn--bcher-kva.example A 192.0.2.50
`

// show lists hosts as address/preference/name.
func show(hosts []mailHost) string {
	var words []string
	for _, h := range hosts {
		words = append(words, fmt.Sprintf("%s/%d/%s", h.addr, h.preference, h.name))
	}
	return strings.Join(words, " ")
}

func TestHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailZone)
	const several = "192.0.2.10/10/a.example 2001:db8::10/10/a.example 192.0.2.20/20/b.example 2001:db8::30/30/c.example"
	for _, tt := range []struct {
		host      string
		relay, mx bool
		want      string
		err       error
	}{
		{host: "[192.0.2.1]", want: "192.0.2.1/0/"},
		{host: "plain.example", want: "192.0.2.1/0/plain.example 2001:db8::1/0/plain.example"},
		{host: "several.example", want: several},
		{host: "alias.example", want: several},
		{host: "backup.example", want: "192.0.2.10/10/a.example 2001:db8::10/10/a.example"},
		{host: "six.example", want: "2001:db8::30/10/c.example"},
		{host: "half.example", want: "192.0.2.20/20/b.example"},
		{host: "onlyme.example", err: errDNS},
		{host: "cold.example", err: errDNS},
		{host: "loopback.example", want: "127.0.0.2/0/loopback.example"},
		{host: "noaaaa.example", want: "192.0.2.40/0/noaaaa.example"},
		{host: "onlya.example", err: errDNS},
		{host: "bücher.example", want: "192.0.2.50/10/xn--bcher-kva.example"},

		{host: "several.example", relay: true, err: noSuchHost("several.example")},
		{host: "plain.example", relay: true, want: "192.0.2.1/0/plain.example 2001:db8::1/0/plain.example"},
		{host: "127.0.0.1", relay: true, want: "127.0.0.1/0/"},

		{host: "several.example", relay: true, mx: true, want: several},
		{host: "backup.example", relay: true, mx: true, want: "192.0.2.10/10/a.example 2001:db8::10/10/a.example"},
		{host: "plain.example", relay: true, mx: true, want: "192.0.2.1/0/plain.example 2001:db8::1/0/plain.example"},
		{host: "[127.0.0.1]", relay: true, mx: true, want: "127.0.0.1/0/"},
		{host: "127.0.0.1", relay: true, mx: true, want: "127.0.0.1/0/"},
		{host: "cold.example", relay: true, mx: true, err: errDNS},
		{host: "nowhere.example", relay: true, mx: true, err: noSuchHost("nowhere.example")},
	} {
		r := s.remote()
		r.routesByMX = tt.mx
		got, err := r.hosts(socket.Direct(t.Context()), route{tt.host, 25, tt.relay})
		if text := show(got); text != tt.want || err != tt.err {
			t.Errorf("%s, relay %v, by MX %v: %s, %v; want %s, %v", tt.host, tt.relay, tt.mx, text, err, tt.want, tt.err)
		}
	}
}

// This host as a relay that its own name leads to is no error without
// smtproutesmx, as in C.
func TestRelayMayBeOwn(t *testing.T) {
	t.Parallel()
	s := newSite(t, mailZone)
	got, err := s.remote().hosts(socket.Direct(t.Context()), route{"me.example", 25, true})
	if len(got) != 2 || err != nil {
		t.Errorf("%s, %v", show(got), err)
	}
}

// Among equals each is first at some time.
func TestRandomAmongEquals(t *testing.T) {
	t.Parallel()
	zone, hosts := "", 4
	for i := range hosts {
		zone += fmt.Sprintf("x.example MX 5 h%d.example\nh%d.example A 192.0.2.%d\n", i, i, i)
	}
	s := newSite(t, zone+"x.example MX 4 best.example\nbest.example A 192.0.2.200\nx.example MX 6 last.example\nlast.example A 192.0.2.201\n")
	first := map[string]bool{}
	for range 1000 {
		got, err := s.remote().hosts(socket.Direct(t.Context()), route{"x.example", 25, false})
		if err != nil || len(got) != hosts+2 || got[0].name != "best.example" || got[hosts+1].name != "last.example" {
			t.Fatalf("%s, %v", show(got), err)
		}
		if first[got[1].name] = true; len(first) == hosts {
			return
		}
	}
	t.Errorf("only %v were first", slices.Collect(maps.Keys(first)))
}

// A domain that lists very much has the best of it tried.
func TestManyExchangers(t *testing.T) {
	t.Parallel()
	zone := ""
	for i := range 100 {
		zone += fmt.Sprintf("x.example MX %d h%d.example\nh%d.example A 192.0.2.1\nh%d.example A 192.0.2.2\nh%d.example A 192.0.2.3\n", i, i, i, i, i)
	}
	s := newSite(t, zone)
	got, err := s.remote().hosts(socket.Direct(t.Context()), route{"x.example", 25, false})
	if err != nil || len(got) != maxHosts || got[0].name != "h0.example" || got[maxHosts-1].name != "h"+strconv.Itoa((maxHosts-1)/3)+".example" {
		t.Errorf("%d: %s, %v", len(got), show(got), err)
	}
}
