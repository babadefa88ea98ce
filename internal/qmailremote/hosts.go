package qmailremote

import (
	"context"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/localip"
	"ucspi-go/internal/outbound"
	"ucspi-go/qmaildkim/keys"
)

// A mailHost is one address to try.
type mailHost struct {
	name       string // whose address it is; empty for an address without a name
	addr       netip.Addr
	preference int
}

// What is considered of the names and addresses that a domain lists, best
// first, so that a stranger's DNS cannot keep a delivery busy for ever.
const (
	maxExchangers = 32
	maxHosts      = 64
)

// hosts returns the addresses to try for a route, best first, at least one.
// Errors are failures.
func (r *remote) hosts(ctx context.Context, to route) ([]mailHost, error) {
	if addr, ok := outbound.Literal(to.host); ok {
		return r.notOwn(to, []mailHost{{addr: addr}}, false)
	}
	if to.relay && !r.routesByMX {
		return r.relay(ctx, to.host)
	}
	exchangers, exists, err := r.dns.LookupMX(ctx, ascii(to.host))
	switch {
	case outbound.IsTemporary(err):
		return nil, errDNS
	case err != nil:
		return nil, noSuchHost(to.host)
	case len(exchangers) == 0 && to.relay:
		return r.relay(ctx, to.host)
	case len(exchangers) == 0:
		exchangers = []dns.MX{{Host: to.host}}
	}
	hosts, unsure := r.addressesOf(ctx, exchangers)
	switch {
	case len(hosts) == 0 && unsure:
		return nil, errDNS
	case len(hosts) == 0 && !exists:
		return nil, noSuchHost(to.host)
	case len(hosts) == 0:
		return nil, errNoAddress
	}
	to.relay = false // the list may name this host, as any other
	return r.notOwn(to, hosts, unsure)
}

// relay returns the addresses of a relay, whose mail exchangers do not count.
func (r *remote) relay(ctx context.Context, name string) ([]mailHost, error) {
	addrs, unsure := outbound.Addresses(ctx, r.dns, ascii(name))
	switch {
	case len(addrs) == 0 && unsure:
		return nil, errDNS
	case len(addrs) == 0:
		return nil, noSuchHost(name)
	}
	var hosts []mailHost
	for _, addr := range addrs {
		hosts = append(hosts, mailHost{name: name, addr: addr})
	}
	return hosts, nil
}

// addressesOf returns the addresses of mail exchangers by preference, in
// random order among equals. Unsure says that some could not be looked up.
func (r *remote) addressesOf(ctx context.Context, exchangers []dns.MX) (hosts []mailHost, unsure bool) {
	rand.Shuffle(len(exchangers), func(i, j int) { exchangers[i], exchangers[j] = exchangers[j], exchangers[i] })
	slices.SortStableFunc(exchangers, func(a, b dns.MX) int { return int(a.Preference) - int(b.Preference) })
	for _, mx := range exchangers[:min(len(exchangers), maxExchangers)] {
		addrs, failed := outbound.Addresses(ctx, r.dns, ascii(mx.Host))
		unsure = unsure || failed
		for _, addr := range addrs {
			hosts = append(hosts, mailHost{mx.Host, addr, int(mx.Preference)})
		}
	}
	return hosts[:min(len(hosts), maxHosts)], unsure
}

// notOwn returns the hosts that are preferred to this one, unless the route is
// one of control/smtproutes: who lists this host must not get his mail back.
func (r *remote) notOwn(to route, hosts []mailHost, unsure bool) ([]mailHost, error) {
	if to.relay {
		return hosts, nil
	}
	own, err := r.own()
	if err != nil {
		return nil, errSystem
	}
	best := math.MaxInt
	for _, h := range hosts {
		if localip.Is(h.addr, own) {
			best = min(best, h.preference)
		}
	}
	hosts = slices.DeleteFunc(hosts, func(h mailHost) bool { return h.preference >= best })
	switch {
	case len(hosts) == 0 && unsure:
		return nil, errDNS
	case len(hosts) == 0:
		return nil, errOwn
	}
	return hosts, nil
}

// ascii returns the form of a name that the DNS has.
func ascii(name string) string {
	for i := range len(name) {
		if name[i] >= 0x80 {
			if domain, ok := keys.Domain(name); ok {
				return domain
			}
		}
	}
	return name
}
