// Package dns is a small stub resolver that behaves as the one in ucspi-tcp
// 0.88: it honours DNSCACHEIP and DNSREWRITEFILE, reads neither /etc/hosts
// nor nsswitch.conf, and lets any byte stand in a name.
package dns

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ucspi-go/internal/socket"
)

// A Resolver asks the servers that the environment and resolv.conf name. It
// is safe for concurrent use. The fields may be changed before the first
// lookup.
type Resolver struct {
	// Rounds are the times that one server is given to answer over UDP, in
	// the first, second ... round over all servers.
	Rounds []time.Duration

	// TCPStep is the time for connecting and asking over TCP, and again for
	// the answer.
	TCPStep time.Duration

	// Budget bounds a whole lookup. C has no such bound: it takes up to 59
	// seconds for each server.
	Budget time.Duration

	// Delay is how much longer than it took to find IPv4 addresses LookupHosts
	// waits for IPv6 ones: the resolution delay of RFC 8305 section 3.
	Delay time.Duration

	lookup      func(name string) (value string, set bool)
	resolvConf  string
	rewriteFile string // when DNSREWRITEFILE is not set

	servers cache[[]netip.AddrPort]
	rules   cache[[]string]
}

// ResolvConf is the file that names the servers where DNSCACHEIP does not.
const ResolvConf = "/etc/resolv.conf"

// New returns a Resolver with C's schedule. Lookup reads the environment:
// DNSCACHEIP, DNSREWRITEFILE and LOCALDOMAIN.
func New(lookup func(name string) (value string, set bool)) *Resolver {
	return &Resolver{
		Rounds:      []time.Duration{3 * time.Second, 11 * time.Second, 45 * time.Second},
		TCPStep:     10 * time.Second,
		Budget:      60 * time.Second,
		Delay:       50 * time.Millisecond,
		lookup:      lookup,
		resolvConf:  ResolvConf,
		rewriteFile: "/etc/dnsrewrite",
	}
}

const (
	cacheUses = 10000
	cacheTime = 10 * time.Minute
)

// A cache holds what was read for a number of uses or minutes, so that a
// server that runs for long hears of changes. As ucspi-tcp 0.88 dns_rcip.c.
type cache[T any] struct {
	mu    sync.Mutex
	value T
	uses  int // that are left
	until time.Time
}

// get returns the value, from read when none is fresh. A failure is not kept.
func (c *cache[T]) get(read func() (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); c.uses <= 0 || now.After(c.until) {
		value, err := read()
		if err != nil {
			return value, err
		}
		c.value, c.uses, c.until = value, cacheUses, now.Add(cacheTime)
	}
	c.uses--
	return c.value, nil
}

// Ports returns the ports of the servers that are asked, none when they cannot
// be read.
func (r *Resolver) Ports() (ports []uint16) {
	servers, err := r.servers.get(r.readServers)
	if err != nil {
		return nil
	}
	for _, s := range servers {
		if !slices.Contains(ports, s.Port()) {
			ports = append(ports, s.Port())
		}
	}
	return ports
}

// resolve asks for the records of a type. No such name and no such type are
// no records and no error.
func (r *Resolver) resolve(ctx context.Context, name string, typ uint16) ([]record, error) {
	p, err := r.ask(ctx, name, typ)
	if err != nil {
		return nil, err
	}
	found, err := records(p, typ)
	if err != nil {
		return nil, failure(name, err)
	}
	return found, nil
}

// ask returns the response to a question.
func (r *Resolver) ask(ctx context.Context, name string, typ uint16) (p []byte, err error) {
	wire, err := Wire(name)
	if err != nil {
		return nil, &Error{Name: name, Err: err, bad: true}
	}
	servers, err := r.servers.get(r.readServers)
	if err != nil {
		return nil, failure(name, err)
	}
	return r.send(ctx, name, query(wire, typ), servers)
}

// send asks the servers, within the budget.
func (r *Resolver) send(ctx context.Context, name string, q []byte, servers []netip.AddrPort) (p []byte, err error) {
	ctx = socket.Until(ctx, time.Now().Add(r.Budget))
	if p, err = r.transmit(ctx, q, servers); err != nil {
		return nil, failure(name, err)
	}
	return p, nil
}
