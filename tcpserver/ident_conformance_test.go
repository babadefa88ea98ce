//go:build conformance

package tcpserver_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// identServers are ways to serve ident, each at its own address of a client.
// They are given the connection and the ports that it asks for.
var identServers = []func(c *net.TCPConn, ports string){
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+" : USERID : UNIX : joe\r\n") },
	func(c *net.TCPConn, ports string) { // byte by byte
		c.SetNoDelay(true)
		for _, b := range []byte(ports + " : USERID : UNIX : joe slow\r\n") {
			c.Write([]byte{b})
		}
	},
	func(c *net.TCPConn, ports string) { // late
		<-time.After(lateness)
		io.WriteString(c, ports+":USERID:UNIX:late\r\n")
	},
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:UNIX:joe") },           // and ends
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:UNIX:joe"); stall(c) }, // and goes on
	func(c *net.TCPConn, ports string) { stall(c) },
	func(c *net.TCPConn, ports string) {},
	func(c *net.TCPConn, ports string) { c.SetLinger(0) },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:"); c.SetLinger(0) },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:UNIX:joe\r\njim\r\n:::jack\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:UNIX:jo\x00e\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":USERID:UNIX:\x00joe\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, "no colon\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, "one:colon\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":ERROR:HIDDEN-USER\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ports+":ERROR:X:HIDDEN-USER\r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ":::\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ": : :\t \r\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, "::::\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, "a:b:c:d:e:f\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, "\n:::joe\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ":::\xff\x80\x1b%=:'\"\\$(x)\n") },
	func(c *net.TCPConn, ports string) { io.WriteString(c, ":::"+strings.Repeat("x ", 257)+"\n") },
	nil, // refuses
	nil, // takes no connections, and refuses none: see deaf
}

// lateness is between the two times that the servers wait, far from both.
const lateness = 12 * time.Second

// stall waits until the client ends.
func stall(c *net.TCPConn) { io.Copy(io.Discard, c) }

// deaf listens on a port whose queue is full, so that nobody hears of a new
// client.
func deaf(t *testing.T, addr [4]byte) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Port: 113, Addr: addr}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp4", net.IP(addr[:]).String()+":113")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
}

// identAt serves the ident protocol at an address; serve is told which ports
// were asked about.
func identAt(t *testing.T, addr string, serve func(c *net.TCPConn, ports string)) {
	t.Helper()
	testprog.Answer(t, net.JoinHostPort(addr, "113"), func(c *net.TCPConn) {
		buf := make([]byte, 100)
		n, _ := c.Read(buf)
		serve(c, strings.TrimSpace(string(buf[:n])))
	})
}

// Both servers make the same of all that an ident server can do, and have the
// same patience with it. (One that sends without end and without a pause keeps
// C for as long: see TestQueryFails of package ident.)
func TestConformanceIdent(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	client := func(i int) string { return fmt.Sprintf("127.0.0.%d", 10+i) }
	var all, never []int // clients: each with its server; those whose server never says anything
	for i, serve := range identServers {
		all = append(all, i)
		if serve != nil {
			identAt(t, client(i), serve)
		} else {
			never = append(never, i)
		}
	}
	never = append(never, len(all))
	identAt(t, client(len(all)), func(c *net.TCPConn, _ string) { stall(c) })
	deaf(t, [4]byte{127, 0, 0, byte(10 + len(identServers) - 1)})
	for _, tt := range []struct {
		options []string
		clients []int
	}{
		{[]string{"-t20"}, all},
		{[]string{"-t4"}, all},
		// No time at all: who answers may or may not be in time, in C too.
		{[]string{"-t0"}, never},
		{[]string{"-t", "x"}, never}, // no digits: 0
	} {
		var (
			seen [2][]string
			done sync.WaitGroup
		)
		for j, program := range []string{testprog.Peer(t, "/usr/bin/tcpserver"), filepath.Join(testprog.Dir(t), "tcpserver")} {
			args := append([]string{"-1", "-vHrl0", "-c100"}, tt.options...)
			s := startCommand(t, exec.Command(program, append(args, "127.0.0.1", "0", "sh", "-c", `echo "[${TCPREMOTEINFO-unset}]"`)...))
			seen[j] = make([]string, len(all)+1)
			for _, i := range tt.clients {
				done.Go(func() { seen[j][i] = fetchFrom(client(i), s.Port, patience) })
			}
		}
		done.Wait()
		for i := range seen[0] {
			if seen[0][i] != seen[1][i] {
				t.Errorf("%s, server %d: C %q, ours %q", tt.options, i, seen[0][i], seen[1][i])
			}
		}
		t.Logf("%s: %q", tt.options, seen[1])
	}
}
