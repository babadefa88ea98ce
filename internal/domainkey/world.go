package domainkey

import (
	"net/netip"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
)

// A world is what the program takes for granted and tests replace.
type world struct {
	now   func() time.Time
	rules string // the rules, where -f names no others

	// server returns where the name server with an address is asked.
	server func(netip.Addr) netip.AddrPort

	// rounds are the times that a name server is given to answer, lookups
	// those of the resolver; nil is the usual schedule.
	rounds, lookups []time.Duration
}

const dnsPort = 53

var usual = world{
	now:    time.Now,
	rules:  "/etc/tcp.smtp",
	server: func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, dnsPort) },
	rounds: []time.Duration{2 * time.Second, 4 * time.Second},
}

// survey returns a survey of name servers, which are found by the resolver
// that the environment names.
func (w world) survey(env *prog.Env) *survey {
	direct := dns.New(env.Lookup)
	direct.Rounds = w.rounds
	return &survey{resolver: w.resolver(env), direct: direct, server: w.server}
}

func (w world) resolver(env *prog.Env) *dns.Resolver {
	r := dns.New(env.Lookup)
	if w.lookups != nil {
		r.Rounds = w.lookups
	}
	return r
}
