package localip

import (
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// Package net finds the same addresses, on interfaces that are down too.
func TestAddresses(t *testing.T) {
	t.Parallel()
	var want []netip.Addr
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Skip(err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			t.Skip(err)
		}
		for _, a := range addrs {
			if i.Flags&net.FlagUp != 0 {
				addr, _ := netip.AddrFromSlice(a.(*net.IPNet).IP)
				want = append(want, addr.Unmap())
			}
		}
	}
	got, err := Addresses()
	slices.SortFunc(got, netip.Addr.Compare)
	slices.SortFunc(want, netip.Addr.Compare)
	if err != nil || !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	own := []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("fe80::1")}
	for text, want := range map[string]bool{
		"127.0.0.1": true, "::ffff:127.0.0.1": true, "fe80::1%eth0": true, "0.0.0.0": true, "::": true,
		"127.0.0.2": false, "::1": false, "192.0.2.1": false,
	} {
		if got := Is(netip.MustParseAddr(text), own); got != want {
			t.Errorf("Is(%s) = %v", text, got)
		}
	}
}

// Of a point-to-point link the address is not that of the other end.
func TestAddress(t *testing.T) {
	t.Parallel()
	attribute := func(typ uint16, value ...byte) syscall.NetlinkRouteAttr {
		return syscall.NetlinkRouteAttr{Attr: syscall.RtAttr{Type: typ}, Value: value}
	}
	peer, ours := attribute(syscall.IFA_ADDRESS, 192, 0, 2, 1), attribute(syscall.IFA_LOCAL, 192, 0, 2, 2)
	for _, attributes := range [][]syscall.NetlinkRouteAttr{{peer, ours}, {ours, peer}} {
		if addr, ok := address(attributes); !ok || addr.String() != "192.0.2.2" {
			t.Errorf("%v, %v", addr, ok)
		}
	}
	if addr, ok := address([]syscall.NetlinkRouteAttr{attribute(syscall.IFA_LABEL, 'x')}); ok {
		t.Errorf("%v of no address", addr)
	}
}
