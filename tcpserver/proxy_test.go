package tcpserver_test

import (
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
)

// from connects to a server from an address of this host.
func from(t *testing.T, port, ip string) *net.TCPConn {
	t.Helper()
	c, err := dialFrom(port, net.ParseIP(ip))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

// exchange sends text and returns what comes back. A reset is an end: what a
// program has not read may cause one.
func exchange(t *testing.T, c *net.TCPConn, text string) string {
	t.Helper()
	io.WriteString(c, text)
	c.CloseWrite()
	got, err := io.ReadAll(c)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Fatal(err)
	}
	return string(got)
}

const (
	fromClient = "PROXY TCP4 10.1.2.3 10.9.9.9 1234 25\r\n"
	fromDenied = "PROXY TCP4 10.2.2.3 10.9.9.9 1234 25\r\n"
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"
	local2     = signature2 + "\x20\x00\x00\x00"
	client2    = signature2 + "\x21\x11\x00\x0f" + "\x0a\x01\x02\x03\x0a\x09\x09\x09\x04\xd2\x00\x19" + "\x04\x00\x00"
	client6    = signature2 + "\x21\x21\x00\x24" + "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + "\x04\xd2\x00\x19"

	proxyRules = `127.0.0.5:allow,TCPPROXY="",R="proxy"
127.0.0.6:deny,TCPPROXY=""
127.0.0.7:allow,TCPPROXY="1"
10.1.:allow,R="client"
10.2.:deny
127.:allow,R="direct"
:allow,R="other"
`
	// What a program says of its connection, and all that it gets from it.
	tellAll = `echo $R $TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $(grep flags /proc/$$/fdinfo/0); exec cat`
)

// What a proxy's header says is what rules, log and program know, and the
// program gets every byte that follows it.
func TestProxy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ip, send string
		want, log      string // addresses and numbers of the proxy's own are left out
	}{
		{"v1", "127.0.0.5", fromClient, "client 10.1.2.3 1234 10.9.9.9 flags: 02", "ok N 0:10.9.9.9:25 :10.1.2.3::1234"},
		{"v2", "127.0.0.5", client2, "client 10.1.2.3 1234 10.9.9.9 flags: 02", "ok N 0:10.9.9.9:25 :10.1.2.3::1234"},
		{"v2, IPv6", "127.0.0.5", client6, "other 2001:db8::1 1234 2001:db8::2 flags: 02", "ok N 0:2001:db8::2:25 :2001:db8::1::1234"},
		{"denied client", "127.0.0.5", fromDenied, "", "deny N 0:10.9.9.9:25 :10.2.2.3::1234"},
		{"check, v1", "127.0.0.5", "PROXY UNKNOWN\r\n", "proxy 127.0.0.5 P 127.0.0.1 flags: 02", "ok N 0:127.0.0.1:P :127.0.0.5::P"},
		{"check, v2", "127.0.0.5", local2, "proxy 127.0.0.5 P 127.0.0.1 flags: 02", "ok N 0:127.0.0.1:P :127.0.0.5::P"},
		{"a header in the program's input", "127.0.0.5", local2 + fromClient, "proxy 127.0.0.5 P 127.0.0.1 flags: 02", "ok N 0:127.0.0.1:P :127.0.0.5::P"},
		{"no header", "127.0.0.5", "EHLO me", "", "warning: dropping connection, unable to read PROXY header of 127.0.0.5: protocol error"},
		{"cut header", "127.0.0.5", "PROXY TCP4 10", "", "warning: dropping connection, unable to read PROXY header of 127.0.0.5: protocol error"},
		{"denied proxy", "127.0.0.6", fromClient, "", "deny N 0:127.0.0.1:P :127.0.0.6::P"},
		{"no proxy, no header", "127.0.0.2", "PROXIED", "direct 127.0.0.2 P 127.0.0.1 flags: 02", "ok N 0:127.0.0.1:P :127.0.0.2::P"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), proxyRules)
			s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "sh", "-c", tellAll)
			text, rest := tt.send, "\x00\xff of the client"
			if tt.name == "cut header" {
				rest = ""
			}
			got := exchange(t, from(t, s.Port, tt.ip), text+rest)
			waitLog(t, s, "^tcpserver: status: 0/40$", 2)
			log := stop(t, s)
			line, input, _ := strings.Cut(got, "\n")
			if own := regexp.MustCompile(`(127.0.0.[0-9]) [0-9]+`); tt.want != strings.ReplaceAll(own.ReplaceAllString(line, "$1 P"), "\t", " ") {
				t.Errorf("the program says %q, want %q", line, tt.want)
			}
			follows := rest
			switch {
			case tt.want == "":
				follows = ""
			case strings.HasSuffix(text, local2+fromClient):
				follows = fromClient + rest
			case text == "PROXIED":
				follows = text + rest
			}
			if input != follows {
				t.Errorf("the program gets %q, want %q", input, follows)
			}
			short := regexp.MustCompile(`(127.0.0.[0-9]:+)[0-9]+`).ReplaceAllString(regexp.MustCompile(`(ok|deny) [0-9]+`).ReplaceAllString(log, "$1 N"), "${1}P")
			if !strings.Contains(short, "tcpserver: "+tt.log+"\n") {
				t.Errorf("log:\n%s\nwant %s", log, tt.log)
			}
			from := regexp.MustCompile(`(?m)^tcpserver: pid [0-9]+ from (.*)$`).FindAllStringSubmatch(log, -1)
			if client := regexp.MustCompile(` :(\S+)::`).FindStringSubmatch(tt.log); len(from) != 1 || client != nil && from[0][1] != client[1] {
				t.Errorf("pid line of %q", from)
			}
		})
	}
}

// Who only looks whether somebody is there, and goes without a word, is no
// trouble worth a word.
func TestProxyCheckCloses(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), proxyRules)
	s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "echo", "hello")
	for range 2 {
		if got := exchange(t, from(t, s.Port, "127.0.0.5"), ""); got != "" {
			t.Errorf("got %q", got)
		}
		c := from(t, s.Port, "127.0.0.5")
		c.SetLinger(0) // a reset, as HAProxy's
		c.Close()
	}
	waitLog(t, s, "^tcpserver: pid [0-9]{7,} from 127.0.0.5\ntcpserver: end [0-9]{7,} status 0$", 1)
	waitLog(t, s, "^tcpserver: end [0-9]{7,} status 0$", 4)
	if log := stop(t, s); strings.Contains(log, "warning") {
		t.Errorf("log:\n%s", log)
	}
}

// A proxy that says nothing, or only half, is cut off after its time, and until
// then others are accepted, however many wait.
func TestProxySilent(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), proxyRules)
	s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo $R")
	var silent []*net.TCPConn
	for range 20 {
		silent = append(silent, from(t, s.Port, "127.0.0.5"))
	}
	late := from(t, s.Port, "127.0.0.7") // with a second
	io.WriteString(late, "PROXY TCP4 10.")
	if got, _ := io.ReadAll(late); len(got) > 0 {
		t.Errorf("who is late gets %q", got)
	}
	waitLog(t, s, "^tcpserver: warning: dropping connection, unable to read PROXY header of 127.0.0.7: timed out\ntcpserver: end [0-9]+ status 28416$", 1)
	if got := exchange(t, from(t, s.Port, "127.0.0.2"), ""); got != "direct\n" {
		t.Errorf("another client gets %q", got)
	}
	for _, c := range silent {
		if got := exchange(t, c, fromClient); got != "client\n" {
			t.Errorf("after some time a proxy's client gets %q", got)
		}
	}
	stop(t, s)
}

// A header of somebody who is no proxy is denied, and nothing in it believed:
// but only where there are proxies, also when the file of rules has just
// changed.
func TestProxyStranger(t *testing.T) {
	t.Parallel()
	name := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), ":allow\n")
	s := start(t, "-vRHl0", "-c1", "-x", name, "127.0.0.1", "0", "sh", "-c", "echo hello $TCPREMOTEIP; exec cat")
	// While another has the only place, what the stranger sends is there
	// before he is accepted.
	stranger := func(text string) string {
		hold := from(t, s.Port, "127.0.0.2")
		if got := make([]byte, 5); readFull(hold, got) != "hello" {
			t.Fatalf("who holds the place gets %q", got)
		}
		c := from(t, s.Port, "127.0.0.3")
		io.WriteString(c, text)
		c.CloseWrite()
		hold.Close()
		got, _ := io.ReadAll(c)
		return string(got)
	}
	for _, text := range []string{fromClient, client2, local2} {
		if got := stranger(text); got != "hello 127.0.0.3\n"+text {
			t.Errorf("without proxies: %q", got)
		}
	}
	compile(t, name, proxyRules)
	for i, text := range []string{fromClient, client2, local2, "PROXY "} {
		if got := stranger(text); got != "" {
			t.Errorf("%q: got %q", text, got)
		}
		waitLog(t, s, "^tcpserver: deny [0-9]{7,} 0:127.0.0.1:[0-9]+ :127.0.0.3::[0-9]+ TCPPROXY:unset\ntcpserver: end [0-9]{7,} status 25600$", i+1)
	}
	for _, text := range []string{"", "PROXY", "EHLO x\r\n", signature2[:11]} {
		if got := stranger(text); got != "hello 127.0.0.3\n"+text {
			t.Errorf("%q: got %q", text, got)
		}
	}
	stop(t, s)
}

func readFull(c net.Conn, b []byte) string {
	io.ReadFull(c, b)
	return string(b)
}

// The names are those of the client: nobody asks for the proxy's.
func TestProxyNames(t *testing.T) {
	t.Parallel()
	dns := testprog.NameServer(t, "3.2.1.10.in-addr.arpa PTR client.example\nclient.example A 10.1.2.3\n5.0.0.127.in-addr.arpa PTR proxy.example\nproxy.example A 127.0.0.5\n", dnsserver.Start)
	const text = "127.0.0.5:allow,TCPPROXY=\"\"\n=client.example:allow,R=\"by name\"\n:deny\n"
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), text)
	s := startShell(t, `export DNSCACHEIP=`+dns.Addr()+`; exec $TCPSERVER -1 -vpRl0 -x `+db+` 127.0.0.1 0 sh -c 'echo $R $TCPREMOTEHOST'`)
	for range 3 {
		if got := exchange(t, from(t, s.Port, "127.0.0.5"), fromClient); got != "by name client.example\n" {
			t.Errorf("got %q", got)
		}
	}
	queries := dns.Queries()
	if len(queries) == 0 {
		t.Error("nobody asks")
	}
	for _, q := range queries {
		if !strings.HasSuffix(q, " 3.2.1.10.in-addr.arpa") && !strings.HasSuffix(q, " client.example") {
			t.Errorf("query %s", q)
		}
	}
	// The connection that meets a new file finds proxies in it too.
	compile(t, db, ":allow\n")
	if got := exchange(t, from(t, s.Port, "127.0.0.5"), fromClient); got != "proxy.example\n" {
		t.Errorf("got %q", got)
	}
	compile(t, db, text)
	if got := exchange(t, from(t, s.Port, "127.0.0.5"), fromClient); got != "by name client.example\n" {
		t.Errorf("with a new file: got %q", got)
	}
	stop(t, s)
}

// Limits are those of the client behind the proxy, not of the proxy.
func TestProxyLimits(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), `127.0.0.5:allow,TCPPROXY="",MAXCONIP="0"`+"\n"+`10.:allow,MAXCONNC="1",DIEMSG="421 later"`+"\n")
	s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo $TCPCONNNUM; exec cat")
	var held []*net.TCPConn
	for _, tt := range []struct{ header, want string }{
		{"PROXY TCP4 10.1.2.3 10.9.9.9 1234 25\r\n", "1\n"},
		{"PROXY TCP4 10.1.2.4 10.9.9.9 1234 25\r\n", "42"}, // 421 later
		{"PROXY TCP4 10.1.3.4 10.9.9.9 1234 25\r\n", "1\n"},
	} {
		c := from(t, s.Port, "127.0.0.5")
		held = append(held, c)
		io.WriteString(c, tt.header)
		if got := readFull(c, make([]byte, 2)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.header, got, tt.want)
		}
	}
	waitLog(t, s, `^tcpserver: deny [0-9]+ 0:10\.9\.9\.9:25 :10\.1\.2\.4::1234 MAXCONNC:1$`, 1)
	if got := exchange(t, from(t, s.Port, "127.0.0.5"), local2); got != "" {
		t.Errorf("the proxy's own connection gets %q", got)
	}
	waitLog(t, s, `^tcpserver: deny [0-9]+ 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.5::[0-9]+ MAXCONIP:0$`, 1)
	for _, c := range held {
		c.Close()
	}
	stop(t, s)
}
