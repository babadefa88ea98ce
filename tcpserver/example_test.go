package tcpserver_test

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"strings"

	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// table is a DNS for tests.
type table map[netip.Addr]string

func (n table) LookupPTR(_ context.Context, a netip.Addr) (string, error) { return n[a], nil }

func (n table) LookupA(_ context.Context, name string) (addrs []netip.Addr, err error) {
	for a, of := range n {
		if of == name {
			addrs = append(addrs, a)
		}
	}
	return addrs, nil
}

func (n table) LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	return n.LookupA(ctx, name)
}

// What tcpserver decides about a connection and passes to its program, without
// a socket.
func ExampleServer_Admit() {
	set, err := rules.Parse(strings.NewReader("=.partner.example:allow,RELAYCLIENT=\"\"\n192.0.2.66:deny\n:allow,DKIMVERIFY=\"\"\n"))
	if err != nil {
		log.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		log.Fatal(err)
	}
	config, err := tcpserver.ParseOptions([]string{"-p", "-R", "-l", "mail.example.com"})
	if err != nil {
		log.Fatal(err)
	}
	s := &tcpserver.Server{
		Config:  config,
		Environ: rules.Environ{"PATH=/bin"},
		Names:   table{netip.MustParseAddr("192.0.2.9"): "mx.partner.example"},
		Rules:   db.Lookup,
	}
	for _, client := range []string{"192.0.2.9:40000", "192.0.2.66:40000"} {
		a, err := s.Admit(context.Background(), tcpserver.Conn{
			Local:  netip.MustParseAddrPort("198.51.100.1:25"),
			Remote: netip.MustParseAddrPort(client),
		})
		switch {
		case err != nil:
			log.Fatal(err)
		case a.Decision.Deny:
			fmt.Println("denied by", a.Decision.Key)
		default:
			fmt.Println(strings.Join(a.Environ, "\n"))
		}
	}
	// Output:
	// PATH=/bin
	// PROTO=TCP
	// TCPLOCALIP=198.51.100.1
	// TCPLOCALPORT=25
	// TCPREMOTEIP=192.0.2.9
	// TCPREMOTEPORT=40000
	// TCPLOCALHOST=mail.example.com
	// TCPREMOTEHOST=mx.partner.example
	// RELAYCLIENT=
	// denied by 192.0.2.66
}
