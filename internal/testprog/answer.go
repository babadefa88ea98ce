package testprog

import (
	"net"
	"testing"
)

// Answer serves TCP at an address, such as 127.0.0.1:0, until the test ends,
// and returns the port. Talk has each connection to itself; it is closed when
// talk returns.
func Answer(t testing.TB, address string, talk func(c *net.TCPConn)) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c.(*net.TCPConn))
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}
