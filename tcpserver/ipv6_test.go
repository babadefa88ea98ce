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

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// fetchAt returns what a client of an address gets from the server there.
func fetchAt(t *testing.T, s *testprog.Server, address string) string {
	t.Helper()
	c, err := net.DialTimeout("tcp", net.JoinHostPort(address, s.Port), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

// connectionVariables returns what is about the connection in an environment,
// sorted, with N for the client's port.
func connectionVariables(environ string) string {
	var vars []string
	for line := range strings.Lines(environ) {
		if strings.HasPrefix(line, "TCP") || strings.HasPrefix(line, "PROTO") {
			vars = append(vars, regexp.MustCompile(`(REMOTEPORT=).*`).ReplaceAllString(strings.TrimSpace(line), "${1}N"))
		}
	}
	slices.Sort(vars)
	return strings.Join(vars, " ")
}

// The unspecified IPv6 address serves both families, and an IPv4 client is
// none the wiser.
func TestDualStack(t *testing.T) {
	t.Parallel()
	testprog.NeedIPv6(t)
	cmd := command(t, "-1", "-vRHl0", "::", "0", "env")
	cmd.Env = []string{"PATH=/usr/bin:/bin", "TCP6REMOTEIP=old", "TCP6INTERFACE=old", "TCP6REMOTEHOST=old"}
	dual := startCommand(t, cmd)
	port := dual.Port
	const four = "PROTO=TCP TCPLOCALHOST=0 TCPLOCALIP=127.0.0.1 TCPLOCALPORT=%p TCPREMOTEIP=127.0.0.1 TCPREMOTEPORT=N"
	if got, want := connectionVariables(fetchAt(t, dual, "127.0.0.1")), strings.ReplaceAll(four, "%p", port); got != want {
		t.Errorf("an IPv4 client: %s\nwant %s", got, want)
	}
	const six = "PROTO=TCP6 TCP6LOCALHOST=0 TCP6LOCALIP=::1 TCP6LOCALPORT=%p TCP6REMOTEIP=::1 TCP6REMOTEPORT=N " +
		"TCPLOCALHOST=0 TCPLOCALIP=::1 TCPLOCALPORT=%p TCPREMOTEIP=::1 TCPREMOTEPORT=N"
	if got, want := connectionVariables(fetchAt(t, dual, "::1")), strings.ReplaceAll(six, "%p", port); got != want {
		t.Errorf("an IPv6 client: %s\nwant %s", got, want)
	}
	log := stop(t, dual)
	for _, want := range []string{
		`pid [0-9]+ from 127\.0\.0\.1`, `ok [0-9]+ 0:127\.0\.0\.1:` + port + ` :127\.0\.0\.1::[0-9]+`,
		`pid [0-9]+ from ::1`, `ok [0-9]+ 0:::1:` + port + ` :::1::[0-9]+`,
	} {
		if !regexp.MustCompile(`(?m)^tcpserver: ` + want + `$`).MatchString(log) {
			t.Errorf("no %q in the log:\n%s", want, log)
		}
	}
}

// An IPv6 address is a host, and so is a name that has no others.
func TestIPv6Host(t *testing.T) {
	t.Parallel()
	testprog.NeedIPv6(t)
	zone := testprog.NameServer(t, "six.example AAAA ::1\nboth.example AAAA ::1\nboth.example A 127.0.0.1\nfails.example AAAA ::1\nfails.example SERVFAIL A\n", dnsserver.Start)
	for host, address := range map[string]string{"::1": "::1", "[::1]": "::1", "0:0::0:1": "::1", "six.example": "::1", "both.example": "127.0.0.1", "::ffff:127.0.0.1": "127.0.0.1"} {
		cmd := command(t, "-1", "-RHl0", host, "0", "printenv", "PROTO", "TCPLOCALIP", "WHO")
		who := "the server of " + host
		cmd.Env = []string{"WHO=" + who, "PATH=/usr/bin:/bin", "DNSCACHEIP=" + zone.Addr(), "LOCALDOMAIN="}
		want := "TCP6\n::1\n"
		if address == "127.0.0.1" {
			want = "TCP\n127.0.0.1\n"
		}
		s := startCommand(t, cmd)
		if got := fetchAt(t, s, address); got != want+who+"\n" {
			t.Errorf("host %s: %q, want %q", host, got, want)
		}
		other := map[string]string{"::1": "127.0.0.1", "127.0.0.1": "::1"}[address]
		// The port of the other family may be another test's.
		if c, err := net.Dial("tcp", net.JoinHostPort(other, s.Port)); err == nil {
			c.(*net.TCPConn).CloseWrite()
			c.SetDeadline(time.Now().Add(patience))
			if got, _ := io.ReadAll(c); strings.Contains(string(got), who) {
				t.Errorf("host %s: listens at %v too", host, c.RemoteAddr())
			}
			c.Close()
		}
	}
	for _, q := range zone.Queries() {
		if strings.Contains(q, ":") {
			t.Errorf("query %q for a literal address", q)
		}
	}
}

// Rules, the name under ip6.arpa, and the check of that name.
func TestIPv6ClientIsKnown(t *testing.T) {
	t.Parallel()
	testprog.NeedIPv6(t)
	nibbles := "1" + strings.Repeat(".0", 31) + ".ip6.arpa"
	honest := nibbles + " PTR six.example\nsix.example AAAA 2001:db8::1\nsix.example AAAA ::1\n"
	liar := nibbles + " PTR six.example\nsix.example AAAA 2001:db8::1\nsix.example A 127.0.0.1\n"
	for _, tt := range []struct{ name, zone, rules, want, log string }{
		{"a name that is right", honest, "=six.example:allow,RULE=\"name\"\n", "six.example name\n", "ok [0-9]+ six.example:::1:[0-9]+ six.example:::1::[0-9]+"},
		{"a name that is not", liar, "=six.example:allow,RULE=\"name\"\n::/0:allow,RULE=\"block\"\n", "none block\n", "ok [0-9]+ six.example:::1:[0-9]+ :::1::[0-9]+"},
		{"denied by a block", liar, "::/126:deny\n::/0:allow\n", "", "deny [0-9]+ six.example:::1:[0-9]+ :::1::[0-9]+"},
		{"denied by a prefix of the text", honest, ":::deny\n", "", "deny [0-9]+ six.example:::1:[0-9]+ six.example:::1::[0-9]+"},
		{"an address", honest, "0:0::1:allow,RULE=\"exact\"\n:deny\n", "six.example exact\n", "pid [0-9]+ from ::1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zone := testprog.NameServer(t, tt.zone, dnsserver.Start)
			cmd := command(t, "-1", "-vpR", "-x", rulesFile(t, tt.rules), "::1", "0", "sh", "-c", `echo ${TCPREMOTEHOST-none} $RULE`)
			cmd.Env = []string{"PATH=/usr/bin:/bin", "DNSCACHEIP=" + zone.Addr()}
			s := startCommand(t, cmd)
			if got := fetchAt(t, s, "::1"); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
			waitLog(t, s, "^tcpserver: "+tt.log+"$", 1)
		})
	}
}

// The scope of a client is not part of its address.
func TestScopes(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	testprog.AddAddress(t, "lo", netip.MustParsePrefix("fe80::1/64"))
	s := start(t, "-vRHl0", "-x", rulesFile(t, "fe80::1:allow,RULE=\"exact\"\n:deny\n"), "fe80::1%lo", "0", "env")
	got := fetchAt(t, s, "fe80::1%lo")
	for _, want := range []string{"PROTO=TCP6", "TCPREMOTEIP=fe80::1", "TCP6REMOTEIP=fe80::1", "TCPLOCALIP=fe80::1", "TCP6INTERFACE=lo", "RULE=exact"} {
		if !slices.Contains(strings.Split(got, "\n"), want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	waitLog(t, s, `^tcpserver: ok [0-9]+ 0:fe80::1:[0-9]+ :fe80::1::[0-9]+$`, 1)
}

func rulesFile(t *testing.T, text string) string {
	t.Helper()
	cdb := filepath.Join(t.TempDir(), "rules.cdb")
	cmd := exec.Command(filepath.Join(testprog.Dir(t), "tcprules"), cdb, cdb+".tmp")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return cdb
}

// Admit takes what the addresses are, whatever the name of the client says
// about other ones.
func TestAdmitIPv6(t *testing.T) {
	t.Parallel()
	none := ""
	for _, tt := range []struct{ aaaa, a, want string }{
		{"fe80::9 fe80::2", "", "six.example"},
		{"fe80::9", "10.0.0.2", "unset"},
		{"fail", "10.0.0.2", "unset"},
		{"", "", "unset"},
	} {
		s := &tcpserver.Server{
			Config: tcpserver.Config{LocalHost: &none, RemoteHost: true, Paranoid: true},
			Names:  names{ptr: map[string]string{"fe80::2%eth0": "six.example"}, a: map[string]string{"six.example": tt.a}, aaaa: map[string]string{"six.example": tt.aaaa}},
			Rules: func(c rules.Client) (rules.Decision, error) {
				if c.IP != "fe80::2" {
					t.Errorf("rules are asked about %q", c.IP)
				}
				return rules.Decision{}, nil
			},
		}
		a, err := s.Admit(t.Context(), tcpserver.Conn{Local: netip.MustParseAddrPort("[fe80::1%eth0]:25"), Remote: netip.MustParseAddrPort("[fe80::2%eth0]:4711")})
		got, set := a.Environ.Lookup("TCP6REMOTEHOST")
		if !set {
			got = "unset"
		}
		if scope, _ := a.Environ.Lookup("TCP6INTERFACE"); err != nil || got != tt.want || scope != "eth0" {
			t.Errorf("with AAAA %q: %s, scope %s, %v; want %s", tt.aaaa, got, scope, err, tt.want)
		}
	}
}
