//go:build conformance

package tcpserver_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// haproxy starts HAProxy, whose sections may use $DIR, a folder of its own, and
// for each of the listeners its descriptor, $FD0 and so on. It ends with the
// test.
func haproxy(t *testing.T, sections string, listeners ...net.Listener) (dir string) {
	t.Helper()
	program := testprog.Peer(t, "haproxy")
	// The path of a socket must be short.
	dir, err := os.MkdirTemp("", "haproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	conf := filepath.Join(dir, "conf")
	cmd := exec.Command(program, "-db", "-f", conf)
	const first = 3
	set := map[string]string{"DIR": dir}
	for i, l := range listeners {
		f, err := l.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		set[fmt.Sprint("FD", i)] = fmt.Sprint("fd@", first+i)
	}
	const always = `global
	stats socket $DIR/stats
defaults
	mode tcp
	retries 0
	timeout connect 60s
	timeout client 60s
	timeout server 60s
`
	if err := os.WriteFile(conf, []byte(os.Expand(always+sections, func(name string) string { return set[name] })), 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy:\n%s", said.Bytes())
		}
	})
	return dir
}

// listen returns a listener at a port that the kernel chooses, and its port.
func listen(t *testing.T, ip string) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		testprog.Missing(t, "an address to listen at: "+err.Error())
	}
	t.Cleanup(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return l, port
}

// What HAProxy says of its clients is what tcpserver takes them for, in each of
// the protocol's forms; what it says of none is its own connection.
func TestConformanceHAProxy(t *testing.T) {
	t.Parallel()
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), `127.0.0.5:allow,TCPPROXY="",R="proxy"
127.0.0.3:allow,R="client"
127.0.0.4:deny
127.:allow,R="direct"
:allow,R="other"
`)
	s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo $R $TCPREMOTEIP $TCPLOCALIP $TCPLOCALPORT; exec cat")
	options := []string{"send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c"}
	const stranger = 3 // the number of the section whose source is no proxy
	var sections strings.Builder
	var listeners []net.Listener
	var ports, ports6 []string
	for i := range stranger + 1 {
		option, source := options[i%len(options)], "source 127.0.0.5"
		if i == stranger {
			source = "source 127.0.0.6"
		}
		l, port := listen(t, "127.0.0.1")
		l6, port6 := listen(t, "::1")
		fmt.Fprintf(&sections, "listen s%d\n\tbind $FD%d\n\tbind $FD%d\n\tbind $DIR/s%d\n\tunique-id-format %%{+X}o%%ci_%%cp\n\tserver s 127.0.0.1:%s %s %s\n",
			i, len(listeners), len(listeners)+1, i, s.Port, option, source)
		listeners, ports, ports6 = append(listeners, l, l6), append(ports, port), append(ports6, port6)
	}
	dir := haproxy(t, sections.String(), listeners...)
	large := strings.Repeat("all of it\r\n", 100_000)
	for i, option := range options {
		for _, size := range []int{0, 11, len(large)} {
			c := from(t, ports[i], "127.0.0.3")
			want := "client 127.0.0.3 127.0.0.1 " + ports[i] + "\n"
			// HAProxy gives up who closes his side before anything came.
			got := readFull(c, make([]byte, len(want))) + exchange(t, c, large[:size])
			if got != want+large[:size] {
				t.Errorf("%s: %d bytes, beginning %.60q; want %d, %q", option, len(got), got, len(want)+size, want)
			}
		}
		if got := exchange(t, from(t, ports[i], "127.0.0.4"), "x"); got != "" {
			t.Errorf("%s: the denied client gets %q", option, got)
		}
		c6, err := net.Dial("tcp6", "[::1]:"+ports6[i])
		if err != nil {
			t.Fatal(err)
		}
		if got, want := exchange(t, c6.(*net.TCPConn), "x"), "other ::1 ::1 "+ports6[i]+"\nx"; got != want {
			t.Errorf("%s: over IPv6 %q, want %q", option, got, want)
		}
		// By a path HAProxy's client has no address. It is there from HAProxy's
		// start on, which the connections before have waited for.
		c, err := net.Dial("unix", fmt.Sprint(dir, "/s", i))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, "x")
		c.(*net.UnixConn).CloseWrite()
		got, _ := io.ReadAll(c)
		if want := "proxy 127.0.0.5 127.0.0.1 " + s.Port + "\nx"; string(got) != want {
			t.Errorf("%s: by a path %q, want %q", option, got, want)
		}
		c.Close()
	}
	if got := exchange(t, from(t, ports[stranger], "127.0.0.3"), "x"); got != "" {
		t.Errorf("who comes by a stranger gets %q", got)
	}
	waitLog(t, s, `^tcpserver: deny [0-9]+ 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.6::[0-9]+ TCPPROXY:unset$`, 1)
	waitLog(t, s, `^tcpserver: deny [0-9]+ 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.4::[0-9]+$`, len(options))
	if log := stop(t, s); strings.Contains(log, "warning") {
		t.Errorf("log:\n%s", log)
	}
}

// HAProxy finds that the server is there by each kind of check: with a header
// of either version the program greets it, and one that only connects leaves no
// warning.
func TestConformanceHAProxyChecks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, server, status, log string }{
		{"v1", "send-proxy check inter 100ms", "L7OK", `^tcpserver: ok [0-9]+ 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.5::[0-9]+$`},
		{"v2", "send-proxy-v2 check inter 100ms", "L7OK", `^tcpserver: ok [0-9]+ 0:127\.0\.0\.1:[0-9]+ :127\.0\.0\.5::[0-9]+$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), "127.0.0.5:allow,TCPPROXY=\"\"\n:deny\n")
			s := start(t, "-vRHl0", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo 220 mx.example ESMTP; cat 2>/dev/null; exit 0")
			dir := haproxy(t, "backend b\n\ttimeout check 60s\n\toption tcp-check\n\ttcp-check expect string 220\n\tserver s 127.0.0.1:"+s.Port+" source 127.0.0.5 "+tt.server+"\n")
			waitLog(t, s, tt.log, 3)
			waitLog(t, s, `^tcpserver: end [0-9]+ status 0$`, 3)
			c, err := net.Dial("unix", dir+"/stats")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, "show stat b 4 -1\n")
			stat, err := io.ReadAll(c)
			if err != nil || !strings.Contains(string(stat), ",UP,") || !strings.Contains(string(stat), ","+tt.status+",") {
				t.Errorf("%v, haproxy says\n%s", err, stat)
			}
			if log := stop(t, s); strings.Contains(log, "warning") || strings.Contains(log, "deny") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}
