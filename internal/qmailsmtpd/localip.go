package qmailsmtpd

import (
	"encoding/binary"
	"syscall"
)

// isLocalIP reports whether ip is 0.0.0.0 or the address of an interface of
// this host that is up, as netqmail's ipme.c. The kernel is asked directly,
// since package net would double the size of the program.
func isLocalIP(ip [4]byte) (bool, error) {
	if ip == [4]byte{} {
		return true, nil
	}
	up := map[uint32]bool{}
	links, err := netlink(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		return false, err
	}
	for _, m := range links {
		// struct ifinfomsg: the index is at 4, the flags are at 8.
		if m.Header.Type == syscall.RTM_NEWLINK && len(m.Data) >= syscall.SizeofIfInfomsg {
			up[binary.NativeEndian.Uint32(m.Data[4:])] = binary.NativeEndian.Uint32(m.Data[8:])&syscall.IFF_UP != 0
		}
	}
	addresses, err := netlink(syscall.RTM_GETADDR, syscall.AF_INET)
	if err != nil {
		return false, err
	}
	for _, m := range addresses {
		// struct ifaddrmsg: the index is at 4.
		if m.Header.Type != syscall.RTM_NEWADDR || len(m.Data) < syscall.SizeofIfAddrmsg || !up[binary.NativeEndian.Uint32(m.Data[4:])] {
			continue
		}
		attributes, err := syscall.ParseNetlinkRouteAttr(&m)
		if err != nil {
			return false, err
		}
		for _, a := range attributes {
			if a.Attr.Type == syscall.IFA_LOCAL && string(a.Value) == string(ip[:]) {
				return true, nil
			}
		}
	}
	return false, nil
}

func netlink(request, family int) ([]syscall.NetlinkMessage, error) {
	data, err := syscall.NetlinkRIB(request, family)
	if err != nil {
		return nil, err
	}
	return syscall.ParseNetlinkMessage(data)
}
