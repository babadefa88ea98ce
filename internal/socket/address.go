package socket

import (
	"net/netip"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
)

// Sockaddr returns an address as system calls take it. A scope may be the
// name of an interface or its number.
func Sockaddr(a netip.AddrPort) syscall.Sockaddr {
	if a.Addr().Is4() {
		return &syscall.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &syscall.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone(a.Addr().Zone())}
}

// AddrPort returns an address as system calls give it. An IPv4 address that is
// mapped into IPv6 is that IPv4 address, and a scope the name of its interface.
// The error is EAFNOSUPPORT for an address of another kind.
func AddrPort(sa syscall.Sockaddr) (netip.AddrPort, error) {
	switch a := sa.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), nil
	case *syscall.SockaddrInet6:
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.ZoneId != 0 {
			addr = addr.WithZone(interfaceName(a.ZoneId))
		}
		return netip.AddrPortFrom(addr, uint16(a.Port)), nil
	}
	return netip.AddrPort{}, syscall.EAFNOSUPPORT
}

// Family returns the address family of a socket for an address.
func Family(a netip.Addr) int {
	if a.Is4() {
		return syscall.AF_INET
	}
	return syscall.AF_INET6
}

// zone returns the number of the interface that a scope names, 0 for none.
func zone(name string) uint32 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil && name != "" {
		index, _ := prog.ReadFile("/sys/class/net/" + name + "/ifindex")
		n, _ = strconv.ParseUint(strings.TrimSpace(string(index)), 10, 32)
	}
	return uint32(n)
}

// interfaceName returns the name of an interface, or its number when it has
// gone.
func interfaceName(index uint32) string {
	number := strconv.FormatUint(uint64(index), 10)
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return number
	}
	defer syscall.Close(fd)
	request, err := unix.NewIfreq("")
	if err != nil {
		return number
	}
	request.SetUint32(index)
	if unix.IoctlIfreq(fd, unix.SIOCGIFNAME, request) != nil {
		return number
	}
	return request.Name()
}
