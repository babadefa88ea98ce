//go:build conformance

package qmailremote

import (
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/testprog"
)

// The whole program against mail exchangers on port 25.
func TestConformanceMX(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	names := testprog.NameServer(t, `
example.com MX 30 worst.example.com
example.com MX 10 dead.example.com
example.com MX 20 good.example.com
dead.example.com A 127.0.0.9
good.example.com A 127.0.0.2
worst.example.com A 127.0.0.3
here.example MX 10 dead.example.com
here.example MX 20 me.example
here.example MX 30 good.example.com
me.example A 127.0.0.1
me.example AAAA ::1
none.example A 127.0.0.3
`, dnsserver.Start)
	for _, addr := range []string{"127.0.0.1:25", "127.0.0.2:25", "127.0.0.3:25", "[::1]:25"} {
		sink, err := smtpsink.Start(addr, smtpsink.Script{})
		if err != nil {
			t.Fatal(err)
		}
		defer sink.Close()
	}
	s := newSite(t, "")
	s.write("control/smtproutes", "six.example:[::1]\n")
	accepted := func(ip string) string { return "r\\0K" + ip + " accepted message.\nRemote host said: 250 ok\n\\0" }
	for _, tt := range []struct{ host, want string }{
		{"example.com", accepted("127.0.0.2")},
		{"EXAMPLE.com", accepted("127.0.0.2")},
		{"none.example", accepted("127.0.0.3")},
		{"[127.0.0.3]", accepted("127.0.0.3")},
		{"six.example", accepted("::1")},
		{"here.example", string(errNoConnection) + "\\0"},
		{"me.example", string(errOwn) + "\\0"},
		{"[127.0.0.1]", string(errOwn) + "\\0"},
		{"[IPv6:::1]", string(errOwn) + "\\0"},
		{"nowhere.example", string(noSuchHost("nowhere.example")) + "\\0"},
	} {
		if got := s.send([]string{"DNSCACHEIP=" + names.Addr()}, letter, tt.host, sender, rcpt); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.host, got, tt.want)
		}
	}
	if queries := strings.Join(names.Queries(), "\n"); strings.Contains(queries, "six.example") {
		t.Errorf("a name with a route to an address was asked for:\n%s", queries)
	}
}
