package tcpserver

import (
	"context"
	"io"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/ident"
	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// Run is the program tcpserver. It starts in the order of ucspi-tcp 0.88:
// options, signals, address, socket, privileges, port line, descriptors. Only a
// program of this module can make its Env.
func Run(ctx context.Context, env *prog.Env) error {
	saveMemory()
	o, err := parseOptions(env)
	if err != nil {
		return err
	}
	orders := catchSignals(o.signals())
	s := &Server{Config: o.Config, supervision: o.supervision, Info: ident.Query}
	s.log = &log{env: env, v: o.Verbosity, json: o.json}
	if err := s.inherit(env, o.port); err != nil {
		return o.quiet(err)
	}
	resolver := dns.New(env.Lookup)
	s.Names = resolver
	if err := s.open(ctx, &o, resolver, orders); err != nil {
		return o.quiet(err)
	}
	local, err := localAddr(s.listener)
	if err != nil {
		return o.quiet(prog.Fatal(111, "unable to get local address", err))
	}
	if s.before == nil {
		if err := prog.Become(o.uid, o.gid); err != nil {
			return o.quiet(err)
		}
	}
	if o.RulesFile != "" {
		db := rules.NewLive(o.RulesFile)
		db.Watch(tcpProxy)
		s.Rules, s.Proxies = db.Lookup, db.Sets
		_, _ = db.Lookup(rules.Client{}) // so that Sets knows; trouble is the first client's
	}
	finish, err := s.prepare(local)
	if err != nil {
		return o.quiet(err)
	}
	if o.printPort {
		_, _ = io.WriteString(env.Stdout, strconv.Itoa(int(local.Port()))+"\n")
	}
	closeStandard()
	s.sayReady()
	s.serve(ctx, env, orders)
	finish()
	return nil
}

// open gives the server a listening socket unless it has one. SIGTERM ends
// the lookup of its address, and the program.
func (s *Server) open(ctx context.Context, o *options, r *dns.Resolver, orders orders) (err error) {
	var addr netip.Addr
	has := s.listener != unset
	if !has {
		ctx, heard := orders.untilTerm(ctx)
		addr, err = address(ctx, r, o.host)
		if heard() {
			return prog.Exit(0)
		}
		if err != nil {
			return err
		}
	}
	if err := makePoller(); err != nil {
		return prog.Fatal(111, "unable to start", err)
	}
	makeThreads()
	if !has {
		s.listener, _, err = listen(addr, o.port, o.backlog)
	}
	return err
}

// address returns the address to listen on. Unlike tcpserver 0.88, an IPv6
// address is one, and a host that has no others too.
func address(ctx context.Context, r *dns.Resolver, host string) (netip.Addr, error) {
	if host == "" || host == "0" {
		return netip.IPv4Unspecified(), nil
	}
	var addrs []netip.Addr
	var err error
	if _, ok := dns.IPv6(host); !ok {
		addrs, err = r.LookupHost(ctx, host)
	}
	if err == nil && len(addrs) == 0 {
		addrs, err = r.LookupHost6(ctx, host)
	}
	if err != nil {
		return netip.Addr{}, prog.Fatal(111, "temporarily unable to figure out IP address for "+host, err)
	}
	if len(addrs) == 0 {
		return netip.Addr{}, prog.Fatal(111, "no IP address for "+host, nil)
	}
	return addrs[0], nil
}

// closeStandard gives up descriptors 0 and 1: what waits for the end of
// output must not wait for the server. They stay occupied, so that no
// connection gets their numbers.
func closeStandard() {
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	for _, fd := range []int{0, 1} {
		if err == nil {
			syscall.Dup3(null, fd, syscall.O_CLOEXEC)
		} else {
			syscall.Close(fd)
		}
	}
	if err == nil {
		syscall.Close(null)
	}
}
