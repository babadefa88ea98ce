//go:build conformance

package tcpclient

import (
	"io"
	"net"
	"net/netip"
	"regexp"
	"testing"

	"ucspi-go/internal/testprog"
)

// TestConformanceIPv6: ucspi-tcp-ipv6's tcpclient and ours tell the program
// the same of an IPv6 connection, but for the TCP6 variables that ours has as
// tcpserver has them. (With several addresses it tries some that nobody gave.)
func TestConformanceIPv6(t *testing.T) {
	theirs := testprog.IPv6Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	for _, address := range []string{"2001:db8::1/64", "2001:db8::2/64"} {
		testprog.AddAddress(t, "lo", netip.MustParsePrefix(address))
	}
	w := newWorld(t, `
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR One.example
one.example AAAA 2001:db8::1
closed.example AAAA 2001:db8::2
four.example A 127.0.0.1
text.example TXT text
`)
	w.c = theirs
	for _, address := range []string{"[::1]:7000", "[2001:db8::1]:7000"} {
		testprog.Answer(t, address, func(c *net.TCPConn) { io.WriteString(c, "hello\n") })
	}
	testprog.Answer(t, "[2001:db8::1]:113", func(c *net.TCPConn) {
		buf := make([]byte, 100)
		c.Read(buf)
		io.WriteString(c, "1,2:USERID:UNIX:joe\r\n")
	})
	tcp6 := regexp.MustCompile(`(?m)^TCP6.*\n`)
	for _, args := range [][]string{
		{"::1"}, {"2001:db8::1"}, {"2001:0DB8:0::1"}, {"one.example"}, {"four.example"}, {"closed.example"}, {"2001:db8::2"}, {"text.example"}, {"nowhere.example"},
		{"-H", "2001:db8::1"}, {"-R", "2001:db8::1"}, {"-l", "here", "2001:db8::1"}, {"-q", "2001:db8::2"}, {"-i", "2001:db8::2", "2001:db8::1"}, {"-i", "::1", "::1"},
		{"-i", "2001:db8::77", "2001:db8::1"},
	} {
		args = append(append([]string{"-v"}, args...), "7000", "sh", "-c", showEnviron)
		r := run{args: args, environ: []string{"LOCALDOMAIN="}}
		c, ours := w.observe(t, w.c, r), w.observe(t, w.ours, r)
		if ours = tcp6.ReplaceAllString(ours, ""); c != ours {
			t.Errorf("tcpclient %q:\nC:\n%s\nours:\n%s", args, c, ours)
		}
	}
}
