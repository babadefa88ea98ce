package testprog

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

// IPv6Peer returns the path of a program of Debian's package ucspi-tcp-ipv6.
// It cannot be installed beside ucspi-tcp, so $UCSPI_TCP_IPV6 is the folder
// where it was unpacked. Where it is missing the test does as in Peer.
func IPv6Peer(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("UCSPI_TCP_IPV6")
	if dir == "" {
		Missing(t, "Debian's ucspi-tcp-ipv6, unpacked into $UCSPI_TCP_IPV6")
	}
	return Peer(t, filepath.Join(dir, "usr/bin", name))
}

// NeedIPv6 skips a test of a host that has switched IPv6 off, even on its
// loopback interface.
func NeedIPv6(t testing.TB) {
	t.Helper()
	if err := tryIPv6(); err != nil {
		t.Skipf("this host has no IPv6: %v", err)
	}
}

func tryIPv6() error {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err == nil {
		l.Close()
	}
	return err
}
