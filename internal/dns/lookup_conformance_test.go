//go:build conformance

package dns_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
)

const zone = `
host.example A 127.0.0.11
host.example A 127.0.0.12
host A 127.0.0.13
host.two.example A 127.0.0.14
only.two.example A 127.0.0.15
host.search.example A 127.0.0.16
host.local.example A 127.0.0.17
1.2.3.x A 127.0.0.18
alias.example CNAME more.example
more.example CNAME host.example
loop.example CNAME loop.example
we\055ird\072na\040me\056.exa\343mple A 127.0.0.19
truncated.example A 127.0.0.20
truncated.example TRUNCATE
twice.example A 127.0.0.21
twice.example TWICE
wrong.example A 127.0.0.22
wrong.example WRONGID
late.example A 127.0.0.23
late.example TIMEOUT 1
failing.example SERVFAIL
text.example TXT none
1.0.0.127.in-addr.arpa PTR LocalHost.Example.
2.0.0.127.in-addr.arpa PTR we\055ird\072na\040m\056e.exa\343mple_x
3.0.0.127.in-addr.arpa PTR first.example
3.0.0.127.in-addr.arpa PTR second.example
4.0.0.127.in-addr.arpa CNAME 4.sub.0.0.127.in-addr.arpa
4.sub.0.0.127.in-addr.arpa PTR delegated.example
5.0.0.127.in-addr.arpa TXT none
6.0.0.127.in-addr.arpa PTR .
7.0.0.127.in-addr.arpa PTR first.example
7.0.0.127.in-addr.arpa TRUNCATE
8.0.0.127.in-addr.arpa PTR 1.2.3.4
`

// network starts the server on port 53 of a network of the test's own.
func network(t *testing.T) {
	t.Helper()
	z, err := dnsserver.ParseZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dnsserver.StartAt("127.0.0.1:53", z)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
}

// cHost returns what tcpclient makes of a host operand: the addresses, which
// it cannot connect to, or its complaint.
func cHost(t *testing.T, tcpclient, host string, environ []string) string {
	cmd := exec.Command(tcpclient, "-RHl0", "--", host, "9", "true")
	cmd.Env = environ
	out, _ := cmd.CombinedOutput()
	var addrs []string
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSuffix(line, "\n")
		if s, ok := strings.CutPrefix(line, "tcpclient: unable to connect to "); ok {
			addr, _, _ := strings.Cut(s, " ")
			addrs = append(addrs, addr)
		} else if i := strings.LastIndex(line, ": "); strings.Contains(line, "temporarily unable") && i > 0 {
			return "failed: " + line[i+2:]
		} else if !strings.Contains(line, "no IP address for") {
			t.Errorf("tcpclient %q says %q", host, out)
		}
	}
	slices.Sort(addrs)
	return strings.Join(addrs, " ")
}

func ourHost(host string, environ []string) string {
	env := &prog.Env{Environ: environ}
	found, err := dns.New(env.Lookup).LookupHost(context.Background(), host)
	if err != nil {
		return "failed: " + prog.Errstr(err)
	}
	var addrs []string
	for _, a := range found {
		addrs = append(addrs, a.String())
	}
	slices.Sort(addrs)
	return strings.Join(addrs, " ")
}

var hosts = []string{
	"host.example", "HOST.EXAMPLE", "host.example.", "host", "host.", "only", "none", "none.example", ".", "..host..example..",
	"alias.example", "loop.example", "text.example", "truncated.example", "twice.example", "wrong.example",
	`we-ird\072na\40me\56.exa\343mple`, `h\157st.\145xample`, `host.example\`, `\host.example`,
	"1.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.4.5.6.7.8", "256.257.0.1", "01.010.0.1", "1..2.3", ".1.2.3", "1.2.3.4.",
	"[1.2.3.4]", "1[2]3.1.1.1", "[]", "[", "127.1", "0x7f.0.0.1", "1.2.3.x", "-1.2.3.4", "1.2.3.4 ", "99999999999999999999.1.1.1",
	"4294967296.1.1.1", "::1", "1", "host+.example", "ho+st.example+st", "+host", "host+", "host++.example", "+",
	strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 63) + ".example",
	strings.Repeat("a.", 127), strings.Repeat("a.", 126) + "bb", strings.Repeat("a.", 120) + "example",
}

func TestConformanceHost(t *testing.T) {
	tcpclient := testprog.Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	network(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rules := func(text string) []string {
		f, err := os.CreateTemp(dir, "rewrite")
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString(text)
		f.Close()
		return []string{"DNSREWRITEFILE=" + f.Name()}
	}
	for name, environ := range map[string][]string{
		"plain":              rules(""),
		"none":               {"LOCALDOMAIN=" + "one.example two.example", "DNSREWRITEFILE=" + dir + "/none"},
		"blanks":             {"LOCALDOMAIN= two.example  ", "DNSREWRITEFILE="},
		"empty local domain": {"LOCALDOMAIN="},
		"search":             rules("?:+.none.example+.two.example\n*.:\n"),
		"swap":               rules("# comment\n=host:only.two.example\r\n=none:\n*.example:.two.example  \n-.x:host\n"),
		"fallback":           rules("?:.two.example\n*.two.example:\n=HOST.:host.example"),
		"empty suffix":       rules("*:.example\n"),
		"directory":          {"DNSREWRITEFILE=/"},
	} {
		t.Run(name, func(t *testing.T) {
			environ := append(environ, "DNSCACHEIP=127.0.0.1")
			for _, host := range hosts {
				c, ours := cHost(t, tcpclient, host, environ), ourHost(host, environ)
				if c != ours {
					t.Errorf("%q: C %q, ours %q", host, c, ours)
				}
			}
		})
	}
	for name, conf := range map[string]string{
		"search":          "nameserver 127.0.0.1\nsearch none.example\t search.example\nsearch two.example\n",
		"domain":          "domain\tsearch.example\r\nnameserver\t \t127.0.0.1\n",
		"local host":      "nameserver x\nnameserver 127.0.0.1x",
		"no server":       "# nameserver 127.0.0.9\n nameserver 127.0.0.9\nnameserver\n",
		"nothing":         "",
		"search nothing":  "search\nsearch \nsearch search.example\n",
		"unmended search": "search search.example # two.example\n",
	} {
		t.Run("resolv.conf "+name, func(t *testing.T) {
			if err := syscall.Sethostname([]byte("me.local.example")); err != nil {
				t.Skip(err)
			}
			name := file("resolv.conf", conf)
			if err := syscall.Mount(name, "/etc/resolv.conf", "", syscall.MS_BIND, ""); err != nil {
				t.Skip(err)
			}
			defer syscall.Unmount("/etc/resolv.conf", 0)
			for _, host := range hosts {
				c, ours := cHost(t, tcpclient, host, nil), ourHost(host, nil)
				if c != ours {
					t.Errorf("%q: C %q, ours %q", host, c, ours)
				}
			}
		})
	}
}

// The cases that take time, at once.
func TestConformanceFailingHost(t *testing.T) {
	tcpclient := testprog.Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	network(t)
	var all sync.WaitGroup
	for _, tt := range []struct{ host, servers string }{
		{"late.example", "127.0.0.1"},
		{"failing.example", "127.0.0.1"},
		{"host.example", "127.0.0.2"},
		{"host.example", "127.0.0.2.127.0.0.1"},
		{"host.example", "0.0.0.0"},
		{"host.example", "0.0.0.0.127.0.0.1"},
		{"host.example", "10.1.1.1"},
		{"host.example", "10.1.1.1.127.0.0.1"},
		{"host.example", " 127.0.0.1"},
		{"host.example", "127.0.0.1 127.0.0.2"},
		{"host.example", "..127.0.0.1.."},
		{"host.example", "127.256.0.001x"},
	} {
		environ := []string{"DNSCACHEIP=" + tt.servers, "LOCALDOMAIN="}
		var c, ours string
		var pair sync.WaitGroup
		pair.Go(func() { c = cHost(t, tcpclient, tt.host, environ) })
		pair.Go(func() { ours = ourHost(tt.host, environ) })
		all.Go(func() {
			if pair.Wait(); c != ours {
				t.Errorf("%q from %q: C %q, ours %q", tt.host, tt.servers, c, ours)
			}
		})
	}
	all.Wait()
}

func TestConformancePTR(t *testing.T) {
	tcpclient := testprog.Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	network(t)
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	environ := []string{"DNSCACHEIP=127.0.0.1"}
	for i := range 10 {
		addr := fmt.Sprintf("127.0.0.%d", i+1)
		cmd := exec.Command(tcpclient, "-Rl0", addr, port, "printenv", "TCPREMOTEHOST")
		cmd.Env = environ
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", addr, err, out)
		}
		env := &prog.Env{Environ: environ}
		got, err := dns.New(env.Lookup).LookupPTR(t.Context(), netip.MustParseAddr(addr))
		if c := strings.TrimSuffix(string(out), "\n"); err != nil || c != got {
			t.Errorf("%s: C %q, ours %q, %v", addr, c, got, err)
		}
	}
}

// Ways to cut and bend an answer, with names that point to each other.
func TestConformancePackets(t *testing.T) {
	tcpclient := testprog.Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	cases := packets()
	c, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	go func() {
		buf := make([]byte, 1000)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			// The first label of the name is the number of the case.
			number, _ := strconv.Atoi(string(buf[13:16]))
			p := slices.Concat(buf[:2], []byte(cases[number][2:12]), buf[12:n], []byte(cases[number][12:]))
			c.WriteTo(p, from)
		}
	}()
	environ := []string{"DNSCACHEIP=127.0.0.1", "LOCALDOMAIN="}
	cut := 0
	for i := range cases {
		host := fmt.Sprintf("%03d.x", i)
		c, ours := cHost(t, tcpclient, host, environ), ourHost(host, environ)
		switch {
		case c == ours:
		case ours == "failed: protocol error":
			cut++
		default:
			t.Errorf("%q: C %q, ours %q", cases[i], c, ours)
		}
	}
	// Unlike C we do not take what comes before a last record that is cut off.
	const cutOff = 13
	if cut != cutOff {
		t.Errorf("%d of %d answers are good for C alone, want %d", cut, len(cases), cutOff)
	}
}

// packets returns answers without their id and question.
func packets() (cases []string) {
	add := func(text string, counts ...byte) {
		for _, n := range counts {
			cases = append(cases, "\x00\x00\x81\x80\x00\x01\x00"+string([]byte{n})+"\x00\x00\x00\x00"+text)
		}
	}
	a := "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x07"
	full := "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x00\x00\x04\x01y\xc0\x0c" +
		"\x01y\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x08" + a
	add("", 0, 1)
	add(a, 0, 1, 2, 255)
	add(full, 0, 1, 2, 3, 4, 255)
	for i := range full {
		add(full[:i], 3)
		for _, b := range []byte{0x00, 0x01, 0x3f, 0x40, 0xbf, 0xc0, 0xff} {
			add(full[:i]+string([]byte{b})+full[i+1:], 3)
		}
	}
	return cases
}
