package testprog

import (
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
