package tcpserver

import (
	"net/netip"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
)

// listen returns a listening socket and its port. As ucspi-tcp 0.88: the
// address may be in use by connections of an earlier server. The unspecified
// IPv6 address takes IPv4 connections too.
func listen(addr netip.Addr, port uint16, backlog int) (fd int, real uint16, err error) {
	fd, err = syscall.Socket(socket.Family(addr), syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, prog.Fatal(111, "unable to create socket", err)
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if addr == netip.IPv6Unspecified() {
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0)
	}
	if err := syscall.Bind(fd, socket.Sockaddr(netip.AddrPortFrom(addr, port))); err != nil {
		return -1, 0, prog.Fatal(111, "unable to bind", err)
	}
	local, err := localAddr(fd)
	if err != nil {
		return -1, 0, prog.Fatal(111, "unable to get local address", err)
	}
	if err := syscall.Listen(fd, backlog); err != nil {
		return -1, 0, prog.Fatal(111, "unable to listen", err)
	}
	return fd, local.Port(), nil
}

func localAddr(fd int) (netip.AddrPort, error) {
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return socket.AddrPort(sa)
}
