//go:build conformance

package tcpserver_test

import (
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// badWeather is a zone in which each client address, by its last byte, meets
// another fate. A name that is only good over TCP, or late, is found all the
// same.
const badWeather = `
1.0.0.127.in-addr.arpa PTR good.example
good.example A 127.0.0.1
2.0.0.127.in-addr.arpa NXDOMAIN
3.0.0.127.in-addr.arpa TXT none
4.0.0.127.in-addr.arpa SERVFAIL
5.0.0.127.in-addr.arpa REFUSED
6.0.0.127.in-addr.arpa FORMERR
7.0.0.127.in-addr.arpa NOTIMP
8.0.0.127.in-addr.arpa PTR cut.example
8.0.0.127.in-addr.arpa TRUNCATE
cut.example A 127.0.0.8
cut.example TRUNCATE
9.0.0.127.in-addr.arpa PTR we\055ird\072na\040m\056\075e.exa\343mple\000_x\012
we\055ird\072na\040m\056\075e.exa\343mple\000_x\012 A 127.0.0.9
10.0.0.127.in-addr.arpa CNAME 10.net.example
10.net.example PTR delegated.example
delegated.example CNAME other.example
other.example A 127.0.0.10
11.0.0.127.in-addr.arpa PTR first.example
11.0.0.127.in-addr.arpa PTR second.example
11.0.0.127.in-addr.arpa PTR third.example
first.example A 127.0.0.99
second.example A 127.0.0.11
12.0.0.127.in-addr.arpa CNAME 12.0.0.127.in-addr.arpa
13.0.0.127.in-addr.arpa CNAME gone.example
14.0.0.127.in-addr.arpa PTR late.example
14.0.0.127.in-addr.arpa TIMEOUT 1
late.example A 127.0.0.14
15.0.0.127.in-addr.arpa PTR twice.example
15.0.0.127.in-addr.arpa TWICE
twice.example A 127.0.0.15
twice.example WRONGID
16.0.0.127.in-addr.arpa PTR .
17.0.0.127.in-addr.arpa PTR noaddress.example
18.0.0.127.in-addr.arpa PTR failing.example
failing.example SERVFAIL
19.0.0.127.in-addr.arpa PTR MANY.Example
many.example A 127.0.0.1
many.example A 127.0.0.2
many.example A 127.0.0.3
many.example A 127.0.0.19
20.0.0.127.in-addr.arpa PTR silent.example
20.0.0.127.in-addr.arpa TIMEOUT
21.0.0.127.in-addr.arpa PTR slow.example
21.0.0.127.in-addr.arpa SERVFAIL 1
slow.example A 127.0.0.21
22.0.0.127.in-addr.arpa PTR aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc.ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd
`

const lastClient = 23 // it has no line

// weather starts a name server of its own for one run, as faults are counted.
func weather(t *testing.T, addr string) {
	t.Helper()
	zone, err := dnsserver.ParseZone(badWeather)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dnsserver.StartAt(addr+":53", zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
}

// A silent name server has a socket and no answers.
func silence(t *testing.T, addr string) {
	t.Helper()
	c, err := net.ListenPacket("udp", addr+":53")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
}

// Both servers find the same names in all that can happen in the DNS. The
// slowest case takes as long as C waits for a server that is silent, 59
// seconds; all go on at once.
func TestConformanceNames(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	programs := [2]string{testprog.Peer(t, "/usr/bin/tcpserver"), filepath.Join(testprog.Dir(t), "tcpserver")}
	silence(t, "127.0.2.1")
	var all sync.WaitGroup
	for i, tt := range []struct {
		name    string
		options string
		servers string // with S for the name server
		clients int
	}{
		{"names", "-vRl0", "S", lastClient},
		{"paranoid", "-vpRl0", "S", lastClient},
		{"the first server refuses", "-vpRl0", "127.0.2.2.S", 1},
		{"the first server is silent", "-vpRl0", "127.0.2.1.S", 1},
		{"the first server is unreachable", "-vpRl0", "192.0.2.1.S", 1},
		{"only odd servers", "-vpRl0", "0.0.0.0.192.0.2.1", 1},
		{"the last of many", "-vpRl0", strings.Repeat("127.0.2.2.", 15) + "S", 1},
		{"one too many", "-vRl0", strings.Repeat("192.0.2.1.", 16) + "S", 1},
		{"local name", "-vHR", "S", 1},
	} {
		var seen [2][]string
		var pair sync.WaitGroup
		for j, program := range programs {
			addr := fmt.Sprintf("127.0.1.%d", 1+2*i+j)
			weather(t, addr)
			cmd := exec.Command(program, "-1", tt.options, "-c100", "0", "0", "sh", "-c", `printf "[%s]" "$TCPLOCALHOST" "${TCPREMOTEHOST-unset}"`)
			cmd.Env = []string{"PATH=/usr/bin:/bin", "DNSCACHEIP=" + strings.ReplaceAll(tt.servers, "S", addr), "TCPREMOTEHOST=old"}
			s := startCommand(t, cmd)
			seen[j] = make([]string, tt.clients+1)
			for k := 1; k <= tt.clients; k++ {
				pair.Go(func() { seen[j][k] = fetchFrom(fmt.Sprintf("127.0.0.%d", k), s.Port, 2*patience) })
			}
		}
		all.Go(func() {
			pair.Wait()
			for k := range seen[0] {
				if seen[0][k] != seen[1][k] {
					t.Errorf("%s, client 127.0.0.%d: C %q, ours %q", tt.name, k, seen[0][k], seen[1][k])
				}
			}
			t.Logf("%s: %q", tt.name, seen[1])
		})
	}
	all.Wait()
}

// fetchFrom returns what a client at an address gets, or its error.
func fetchFrom(from, port string, timeout time.Duration) string {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: timeout}
	c, err := d.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(timeout))
	got, err := io.ReadAll(c)
	if err != nil {
		return string(got) + err.Error()
	}
	return string(got)
}
