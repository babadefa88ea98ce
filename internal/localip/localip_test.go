package localip

import (
	"net"
	"net/netip"
	"slices"
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
