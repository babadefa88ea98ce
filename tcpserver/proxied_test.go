package tcpserver

import (
	"net/netip"
	"testing"
	"time"

	"ucspi-go/rules"
)

// The rule of a proxy is found by its address, of which a scope is no part.
func TestHeaderOfScopedProxy(t *testing.T) {
	t.Parallel()
	s := &Server{Rules: func(c rules.Client) (d rules.Decision, err error) {
		if c.IP == "fe80::1" {
			d.Env = settings(tcpProxy + "=3")
		}
		return d, nil
	}}
	if got := s.headerOf(Conn{Remote: netip.MustParseAddrPort("[fe80::1%eth0]:1")}); got != 3*time.Second {
		t.Errorf("%v for its header, want 3s", got)
	}
}
