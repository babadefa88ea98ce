//go:build conformance

package tcpserver_test

import (
	"io"
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

const ipv6Zone = `
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR Good.example
good.example AAAA 2001:db8::1
2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR liar.example
liar.example AAAA 2001:db8::99
1.0.0.127.in-addr.arpa PTR four.example
four.example A 127.0.0.1
`

// TestConformanceIPv6: ucspi-tcp-ipv6's tcpserver and ours make the same of
// IPv6 clients. It serves both families at the host 0, ours does at ::, and it
// gives IPv4 clients TCP6 variables too.
func TestConformanceIPv6(t *testing.T) {
	theirs, compiler := testprog.IPv6Peer(t, "tcpserver"), testprog.IPv6Peer(t, "tcprules")
	if !testprog.OwnNetwork(t) {
		return
	}
	clients := []string{"::1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "2001:db8:1:2::5", "fe80::1%lo", "127.0.0.1"}
	for _, client := range clients[:len(clients)-1] {
		if addr := netip.MustParseAddr(client); client != "::1" {
			testprog.AddAddress(t, "lo", netip.PrefixFrom(addr.WithZone(""), 64))
		}
	}
	testprog.NameServer(t, ipv6Zone, testprog.OnPort53)
	answerIdent(t, "2001:db8::1", "joe")
	answerIdent(t, "2001:db8::4", "")
	cdb := filepath.Join(t.TempDir(), "rules.cdb")
	compile := exec.Command(compiler, cdb, cdb+".tmp")
	compile.Stdin = strings.NewReader("joe@2001:db8::1:allow,RULE=\"info\"\n=liar.example:deny\n2001:db8::3:deny\n2001:db8:::allow,RULE=\"long\"\n2001:db8:1:2:::allow,RULE=\"longer\"\nfe80::1:allow,RULE=\"scope\"\n127.:allow,RULE=\"four\"\n")
	if out, err := compile.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	for _, options := range []string{"-vRHl0", "-vl0", "-vpl0", "-vH"} {
		var got [2][]string
		for i, program := range []string{theirs, filepath.Join(testprog.Dir(t), "tcpserver")} {
			cmd := exec.Command(program, "-1", options, "-x", cdb, [...]string{"0", "::"}[i], "0", "env")
			cmd.Env = []string{"PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}
			s := startCommand(t, cmd)
			for _, client := range clients {
				got[i] = append(got[i], client+": "+fetchAs(t, s, client))
				waitLog(t, s, `^tcpserver: status: 0/`, 1+len(got[i]))
			}
			got[i] = append(got[i], ipv6Log(stop(t, s), s.Port))
		}
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s:\nC:\n%s\nours:\n%s", options, strings.Join(got[0], "\n"), strings.Join(got[1], "\n"))
		}
		if !strings.Contains(got[1][1], "PROTO=TCP6") || options != "-vH" && !strings.Contains(got[1][0]+got[1][1]+got[1][7], "RULE=") {
			t.Errorf("%s: %s", options, strings.Join(got[1], "\n"))
		}
	}
}

// fetchAs returns the variables that a client of an address is given.
func fetchAs(t *testing.T, s *testprog.Server, address string) string {
	t.Helper()
	from, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	d := net.Dialer{LocalAddr: from, Timeout: patience}
	c, err := d.Dial("tcp", net.JoinHostPort(address, s.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	vars := strings.Fields(strings.ReplaceAll(connectionVariables(string(got)), s.Port, "PORT"))
	if slices.Contains(vars, "PROTO=TCP") {
		vars = slices.DeleteFunc(vars, func(v string) bool { return strings.HasPrefix(v, "TCP6") })
	}
	if rule := regexp.MustCompile(`(?m)^RULE=.*$`).FindString(string(got)); rule != "" {
		vars = append(vars, rule)
	}
	return strings.Join(vars, " ")
}

// ipv6Log leaves what is the same for each server of a log, without IPv4
// clients, which ucspi-tcp-ipv6 shows as mapped.
func ipv6Log(log, port string) string {
	log = regexp.MustCompile(`(?m)^tcpserver: (pid|ok|deny) .*127\.0\.0\.1.*\n`).ReplaceAllString(log, "")
	log = strings.ReplaceAll(log, port, "PORT")
	log = regexp.MustCompile(`\b(pid|ok|deny|end) [0-9]+`).ReplaceAllString(log, "$1 N")
	return regexp.MustCompile(`(?m)^(tcpserver: (?:ok|deny) .*:)[0-9]+$`).ReplaceAllString(log, "${1}N")
}

// answerIdent says of every connection whose it is, or that it is nobody's.
func answerIdent(t *testing.T, address, who string) {
	t.Helper()
	reply := " : USERID : UNIX : " + who + "\r\n"
	if who == "" {
		reply = " : ERROR : NO-USER\r\n"
	}
	identAt(t, address, func(c *net.TCPConn, ports string) { io.WriteString(c, ports+reply) })
}
