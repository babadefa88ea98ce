package tcpserver

import (
	"net/netip"
	"syscall"

	"ucspi-go/internal/prog"
)

// listen returns a listening socket and its port. As ucspi-tcp 0.88: the
// address may be in use by connections of an earlier server.
func listen(addr netip.Addr, port uint16, backlog int) (fd int, real uint16, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, 0, prog.Fatal(111, "unable to create socket", err)
	}
	syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(port), Addr: addr.As4()}); err != nil {
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
	return addrPort(sa)
}

func addrPort(sa syscall.Sockaddr) (netip.AddrPort, error) {
	in, ok := sa.(*syscall.SockaddrInet4)
	if !ok {
		return netip.AddrPort{}, syscall.EAFNOSUPPORT
	}
	return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port)), nil
}
