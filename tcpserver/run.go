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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	term := catchSignals()
	go func() { <-term; cancel() }()

	resolver := dns.New(env.Lookup)
	addr, err := address(ctx, resolver, o.host)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return o.quiet(err)
	}
	if err := makePoller(); err != nil {
		return o.quiet(prog.Fatal(111, "unable to start", err))
	}
	makeThreads()
	listener, port, err := listen(addr, o.port, o.backlog)
	if err != nil {
		return o.quiet(err)
	}
	if err := prog.Become(o.uid, o.gid); err != nil {
		return o.quiet(err)
	}
	if o.printPort {
		io.WriteString(env.Stdout, strconv.Itoa(int(port))+"\n")
	}
	closeStandard()

	s := &Server{Config: o.Config, Environ: env.Environ, Names: resolver, Info: ident.Query}
	if o.RulesFile != "" {
		db := rules.NewLive(o.RulesFile)
		db.Watch(tcpProxy)
		s.Rules, s.Proxies = db.Lookup, db.Sets
		db.Lookup(rules.Client{}) // so that Sets knows; trouble is the first client's
	}
	s.serve(ctx, env, listener)
	return nil
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
