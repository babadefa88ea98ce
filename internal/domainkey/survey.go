package domainkey

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
)

// A survey asks all name servers of a zone for a key.
type survey struct {
	resolver *dns.Resolver // finds them
	direct   *dns.Resolver // asks them
	server   func(netip.Addr) netip.AddrPort
}

// States of an observation besides those of qmaildkim.Publication.
const (
	elsewhere = "alias"   // the server names another name, which is asked for too
	unasked   = "unasked" // this host has no route to that address; another of the server's was asked
)

// An observation is what one server says of a key. The Reason of an alias is
// the other name.
type observation struct {
	name string     // that was asked for
	host string     // the server's name
	addr netip.Addr // one of its addresses; not valid when it has none
	qmaildkim.Publication
}

// String returns the line about the observation.
func (o observation) String() string {
	s := o.State + " " + o.host + " "
	if o.addr.IsValid() {
		s += o.addr.String()
	} else {
		s += "-"
	}
	s += " " + o.name
	if o.Reason != "" {
		s += ": " + o.Reason
	}
	if o.Testing && o.State == qmaildkim.PublishedMatch {
		s += ": t=y asks verifiers to ignore failures"
	}
	return s
}

const (
	maxServers = 64 // addresses that are asked, and names, of all servers of a zone
	maxAliases = 8  // names that are asked for, one alias leading to another
)

var (
	errNoServers   = errors.New("no zone is found")
	errManyServers = errors.New("the zone has too many")
	errManyAliases = errors.New("too many aliases")
)

// observe asks every server of the zone that holds a name for a key, and
// those of the names that it is an alias of. The observations are in the
// order of the servers' names and addresses. The error says that the servers
// could not be found.
func (s *survey) observe(ctx context.Context, k record, name string) ([]observation, error) {
	var all []observation
	names := []string{name}
	for i := 0; i < len(names); i++ {
		if i == maxAliases {
			return nil, prog.Fatal(111, "unable to ask for "+name, errManyAliases)
		}
		found, err := s.observeAt(ctx, k, names[i])
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			if o.State == elsewhere && !slices.Contains(names, o.Reason) {
				names = append(names, o.Reason)
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *survey) observeAt(ctx context.Context, k record, name string) ([]observation, error) {
	hosts, err := s.hosts(ctx, name)
	if err != nil {
		return nil, prog.Fatal(111, "unable to find the name servers of "+name, cause(err))
	}
	var found []observation
	if len(hosts) <= maxServers {
		found = s.addresses(ctx, name, hosts)
	}
	if len(found) > maxServers || len(hosts) > maxServers {
		return nil, prog.Fatal(111, "unable to ask the name servers of "+name, errManyServers)
	}
	var asking sync.WaitGroup
	for i := range found {
		if o := &found[i]; o.addr.IsValid() {
			asking.Go(func() { s.ask(ctx, k, o) })
		}
	}
	asking.Wait()
	forgive(found)
	return found, nil
}

// hosts returns the names of the servers of the zone that holds a name: the
// closest one above it, or at it.
func (s *survey) hosts(ctx context.Context, name string) ([]string, error) {
	for at := name; ; {
		hosts, err := s.resolver.LookupNS(ctx, at)
		if err != nil || len(hosts) > 0 {
			return hosts, err
		}
		var more bool
		if _, at, more = strings.Cut(at, "."); !more {
			return nil, errNoServers
		}
	}
}

// addresses returns an observation for each address of the hosts, and one
// that is complete for each host without.
func (s *survey) addresses(ctx context.Context, name string, hosts []string) []observation {
	each := make([][]observation, len(hosts))
	var asking sync.WaitGroup
	for i, host := range hosts {
		asking.Go(func() {
			a4, err4 := s.resolver.LookupA(ctx, host)
			a6, err6 := s.resolver.LookupAAAA(ctx, host)
			addrs := append(a4, a6...)
			slices.SortFunc(addrs, netip.Addr.Compare)
			for _, addr := range slices.Compact(addrs) {
				each[i] = append(each[i], observation{name: name, host: host, addr: addr})
			}
			if err := cmp.Or(err4, err6); err != nil {
				each[i] = append(each[i], trouble(observation{name: name, host: host}, "its address: "+prog.Errstr(cause(err))))
			} else if len(addrs) == 0 {
				each[i] = append(each[i], trouble(observation{name: name, host: host}, "it has no address"))
			}
		})
	}
	asking.Wait()
	return slices.Concat(each...)
}

func trouble(o observation, reason string) observation {
	o.Publication = qmaildkim.Publication{State: qmaildkim.PublishedTemporary, Reason: reason}
	return o
}

// ask completes an observation.
func (s *survey) ask(ctx context.Context, k record, o *observation) {
	answer, err := s.direct.AskTXT(ctx, s.server(o.addr), o.name)
	switch {
	case noRoute(err):
		o.Publication = qmaildkim.Publication{State: unasked, Reason: prog.Errstr(cause(err))}
	case err != nil:
		*o = trouble(*o, prog.Errstr(cause(err)))
	case answer.Alias != "":
		o.Publication = qmaildkim.Publication{State: elsewhere, Reason: answer.Alias}
	default:
		o.Publication = qmaildkim.Published(k.public, answer.Texts, nil)
	}
}

// cause returns what is behind an error of package dns, whose name the line
// has already.
func cause(err error) error {
	var e *dns.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// noRoute reports whether this host cannot send to an address at all, as one
// without IPv6 to an IPv6 address.
func noRoute(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// forgive makes trouble of the addresses to which there is no route, except
// where another address of the server was asked.
func forgive(found []observation) {
	asked := map[string]bool{}
	for _, o := range found {
		asked[o.host] = asked[o.host] || o.State != unasked && o.addr.IsValid()
	}
	for i, o := range found {
		if o.State == unasked && !asked[o.host] {
			found[i] = trouble(o, o.Reason)
		}
	}
}
