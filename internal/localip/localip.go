// Package localip finds this host's own addresses.
package localip

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"syscall"
)

// Addresses returns the addresses of the interfaces of this host that are up,
// as qmail's ipme.c, and IPv6 ones too. The kernel is asked directly, since
// package net would double the size of a program.
func Addresses() ([]netip.Addr, error) {
	up := map[uint32]bool{}
	links, err := netlink(syscall.RTM_GETLINK)
	if err != nil {
		return nil, err
	}
	for _, m := range links {
		// struct ifinfomsg: the index is at 4, the flags are at 8.
		if m.Header.Type == syscall.RTM_NEWLINK && len(m.Data) >= syscall.SizeofIfInfomsg {
			up[binary.NativeEndian.Uint32(m.Data[4:])] = binary.NativeEndian.Uint32(m.Data[8:])&syscall.IFF_UP != 0
		}
	}
	messages, err := netlink(syscall.RTM_GETADDR)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, m := range messages {
		// struct ifaddrmsg: the index is at 4.
		if m.Header.Type != syscall.RTM_NEWADDR || len(m.Data) < syscall.SizeofIfAddrmsg || !up[binary.NativeEndian.Uint32(m.Data[4:])] {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			return nil, err
		}
		if addr, ok := address(attributes); ok {
			addrs = append(addrs, addr)
		}
	}
	return addrs, nil
}

// address returns the address that one message is about. What IFA_ADDRESS
// names is the other end's where there is an IFA_LOCAL, and else ours.
func address(attributes []syscall.NetlinkRouteAttr) (addr netip.Addr, ok bool) {
	for _, a := range attributes {
		switch a.Attr.Type {
		case syscall.IFA_LOCAL:
			return netip.AddrFromSlice(a.Value)
		case syscall.IFA_ADDRESS:
			addr, ok = netip.AddrFromSlice(a.Value)
		}
	}
	return addr, ok
}

// Is reports whether addr is one of this host: unspecified, or among its
// addresses. Zones do not count.
func Is(addr netip.Addr, own []netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsUnspecified() || slices.Contains(own, addr)
}

func netlink(request int) ([]syscall.NetlinkMessage, error) {
	data, err := syscall.NetlinkRIB(request, syscall.AF_UNSPEC)
	if err != nil {
		return nil, err
	}
	return syscall.ParseNetlinkMessage(data)
}
