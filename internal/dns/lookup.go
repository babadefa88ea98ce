package dns

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ucspi-go/internal/prog"
)

// LookupPTR returns the name of the address, as Text writes it, from the
// first PTR record; empty when there is none.
func (r *Resolver) LookupPTR(ctx context.Context, addr netip.Addr) (string, error) {
	name := Reverse(addr)
	found, err := r.resolve(ctx, name, typePTR)
	if err != nil || len(found) == 0 {
		return "", err
	}
	wire, err := found[0].name()
	if err != nil {
		return "", failure(name, err)
	}
	return Text(wire), nil
}

// LookupA returns the IPv4 addresses of the name in random order. Unlike C it
// takes a name that spells an address for a name.
func (r *Resolver) LookupA(ctx context.Context, name string) ([]netip.Addr, error) {
	return r.addresses(ctx, name, typeA, 4)
}

// LookupAAAA returns the IPv6 addresses of the name in random order.
func (r *Resolver) LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error) {
	return r.addresses(ctx, name, typeAAAA, 16)
}

func (r *Resolver) addresses(ctx context.Context, name string, typ uint16, size int) ([]netip.Addr, error) {
	found, err := r.resolve(ctx, name, typ)
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, rec := range found {
		if addr, ok := netip.AddrFromSlice(rec.data); ok && len(rec.data) == size {
			addrs = append(addrs, addr)
		}
	}
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	return addrs, nil
}

// LookupTXT returns one string for each TXT record of the name, in the
// server's order: the strings of the record joined, all bytes as they came.
func (r *Resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, _, err := r.LookupTXTWithTTL(ctx, name)
	return texts, err
}

// LookupTXTWithTTL is LookupTXT, and tells how long the records may be kept:
// up to 68 years, 0 for not at all and for no records.
func (r *Resolver) LookupTXTWithTTL(ctx context.Context, name string) (texts []string, ttl time.Duration, err error) {
	found, err := r.resolve(ctx, name, typeTXT)
	if err != nil {
		return nil, 0, err
	}
	for _, rec := range found {
		texts = append(texts, rec.text())
		ttl = time.Duration(rec.ttl) * time.Second
	}
	return texts, ttl, nil
}

// An MX is a mail exchanger of a name.
type MX struct {
	Preference uint16 // the lowest first
	Host       string // as Text writes it
}

// LookupMX returns the mail exchangers of the name by preference, those of one
// preference in the server's order. Exists is false when there is no such
// name: one that has other records may be a mail exchanger itself.
func (r *Resolver) LookupMX(ctx context.Context, name string) (exchangers []MX, exists bool, err error) {
	p, err := r.ask(ctx, name, typeMX)
	if err != nil {
		return nil, false, err
	}
	found, err := records(p, typeMX)
	if err != nil {
		return nil, false, failure(name, err)
	}
	for _, rec := range found {
		mx, err := rec.exchanger()
		if err != nil {
			return nil, false, failure(name, err)
		}
		exchangers = append(exchangers, mx)
	}
	slices.SortStableFunc(exchangers, func(a, b MX) int { return int(a.Preference) - int(b.Preference) })
	return exchangers, rcode(p) != nxdomain, nil
}

// literal returns the addresses that a name of digits and dots spells: its
// numbers, cut to eight bits, in groups of four. Brackets do not count, nor do
// numbers after the last whole group. As ucspi-tcp 0.88 dns_ip.c.
func literal(name string) (addrs []netip.Addr, ok bool) {
	name = strings.NewReplacer("[", "", "]", "").Replace(name)
	var ip []byte
	for number := range strings.SplitSeq(name, ".") {
		value, n := prog.Number(number)
		if n < len(number) {
			return nil, false
		}
		if ip = append(ip, byte(value)); len(ip) == 4 {
			addrs = append(addrs, netip.AddrFrom4([4]byte(ip)))
			ip = ip[:0]
		}
	}
	return addrs, true
}
