package testprog

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"ucspi-go/internal/dnsserver"
)

// dnsCommand is the script command "dns ZONEFILE": it starts a name server for
// the rest of the script and points DNSCACHEIP to it. Dnsserver.ParseZone
// says what a zone file holds.
func dnsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: dns ZONEFILE")
	}
	zone, err := dnsserver.ParseZone(ts.ReadFile(args[0]))
	ts.Check(err)
	server, err := dnsserver.Start(zone)
	ts.Check(err)
	ts.Defer(func() { server.Close() })
	ts.Setenv("DNSCACHEIP", server.Addr())
}

// NameServer starts a name server for a zone, by dnsserver.Start or one of its
// kind, until the test ends.
func NameServer(t testing.TB, zone string, start func(dnsserver.Zone) (*dnsserver.Server, error)) *dnsserver.Server {
	t.Helper()
	z, err := dnsserver.ParseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := start(z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// OnPort53 starts a server where the C programs ask, in a network of the
// test's own.
func OnPort53(z dnsserver.Zone) (*dnsserver.Server, error) {
	return dnsserver.StartAt("127.0.0.1:53", z)
}
