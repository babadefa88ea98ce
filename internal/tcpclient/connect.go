package tcpclient

import (
	"context"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/ucspi"
)

// Connect makes the connection of "tcpclient -RHl0 -- HOST PORT" and returns
// its descriptor, which is blocking and closed on exec. Each address that
// cannot be reached is a line of tcpclient's on standard error. The error is
// a *prog.Error with tcpclient's words and exit code; it prints nothing when
// those lines have said it all. Ctx ends nothing that has begun.
func Connect(ctx context.Context, env *prog.Env, host, port string) (fd int, err error) {
	number, err := parsePort(port)
	if err != nil {
		return -1, err
	}
	o := defaults()
	o.host, o.port = host, number
	addrs, err := o.addresses(socket.Direct(ctx), dns.New(env.Lookup))
	if err != nil {
		return -1, err
	}
	return o.connect(env, addrs)
}

func parsePort(s string) (uint16, error) {
	port, ok := ucspi.Port(s)
	if !ok {
		return 0, prog.Fatal(111, "unable to figure out port number for "+s, nil)
	}
	return port, nil
}

// addresses returns the addresses of the host operand, at least one. This host
// is its address as text: the rules of DNSREWRITEFILE apply, as in C. Unlike
// tcpclient 0.88, a host may have IPv6 addresses. With a local address only
// those of its family count.
func (o *options) addresses(ctx context.Context, r *dns.Resolver) ([]netip.Addr, error) {
	local := o.local.Addr()
	host := o.host
	if host == "" || host == "0" {
		host = "127.0.0.1"
		if local.Is6() {
			host = "::1"
		}
	}
	var four, six []netip.Addr
	var err error
	if _, literal := dns.IPv6(host); literal || !local.Is4() && !local.Is6() {
		four, six, err = r.LookupHosts(ctx, host)
	} else if local.Is4() {
		four, err = r.LookupHost(ctx, host)
	} else {
		six, err = r.LookupHost6(ctx, host)
	}
	if err != nil {
		return nil, prog.Fatal(111, "temporarily unable to figure out IP address for "+host, err)
	}
	addrs := slices.DeleteFunc(append(four, six...), func(a netip.Addr) bool { return local.IsValid() && local.Is4() != a.Is4() })
	if len(addrs) == 0 {
		return nil, prog.Fatal(111, "no IP address for "+host, nil)
	}
	if len(six) > 0 {
		addrs = sorted(addrs, local)
	}
	return addrs, nil
}

// rounds returns the seconds that each of n addresses is given, round by
// round: several addresses have a short time first, and those that did not
// answer in it the longer time then. A single address has both at once.
func (o *options) rounds(n int) []uint32 {
	if n == 1 || o.times[1] == 0 {
		return []uint32{o.times[0] + o.times[1]}
	}
	return o.times[:]
}

// connect returns a connection to the first of the addresses that can be
// reached. Only those that were late have another round. As ucspi-tcp 0.88
// tcpclient.c, as long as they are of one family.
func (o *options) connect(env *prog.Env, addrs []netip.Addr) (fd int, err error) {
	rounds := o.rounds(len(addrs))
	for len(rounds) > 0 {
		patience := patience(rounds[0])
		rounds = rounds[1:]
		var late []netip.Addr
		failed := func(a netip.Addr, err error) {
			if err == syscall.ETIMEDOUT && len(rounds) > 0 {
				late = append(late, a)
			} else if o.verbosity >= complain {
				say(env, "unable to connect to "+at(a, o.port)+": "+prog.Errstr(err))
			}
		}
		if o.mixed(addrs) {
			fd = o.race(addrs, patience, failed)
		} else if fd, err = o.oneByOne(addrs, patience, failed); err != nil {
			return -1, err
		}
		if fd >= 0 {
			return fd, syscall.SetNonblock(fd, false)
		}
		addrs = late
	}
	return -1, prog.Exit(111)
}

// oneByOne tries the addresses in their order, each as long as patience says,
// and returns the descriptor of the first connection, -1 if there is none.
func (o *options) oneByOne(addrs []netip.Addr, patience time.Duration, failed func(netip.Addr, error)) (fd int, err error) {
	for _, a := range addrs {
		fd, err := o.open(a)
		if err != nil {
			return -1, err
		}
		if err = begin(fd, netip.AddrPortFrom(a, o.port)); err == nil {
			err = outcome(fd, patience)
		}
		if err == nil {
			return fd, nil
		}
		syscall.Close(fd)
		failed(a, err)
	}
	return -1, nil
}

// open returns a socket for an address, with the local address that the
// options name.
func (o *options) open(to netip.Addr) (fd int, err error) {
	fd, err = syscall.Socket(socket.Family(to), syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, prog.Fatal(111, "unable to create socket", err)
	}
	local := o.local
	if !local.Addr().IsValid() {
		local = netip.AddrPortFrom(netip.IPv6Unspecified(), local.Port())
		if to.Is4() {
			local = netip.AddrPortFrom(netip.IPv4Unspecified(), local.Port())
		}
	}
	if err := syscall.Bind(fd, socket.Sockaddr(local)); err != nil {
		syscall.Close(fd)
		return -1, prog.Fatal(111, "unable to bind socket", err)
	}
	return fd, nil
}

// begin starts to connect a non-blocking socket.
func begin(fd int, to netip.AddrPort) error {
	err := syscall.Connect(fd, socket.Sockaddr(to))
	if err == syscall.EINPROGRESS || err == syscall.EINTR {
		return nil
	}
	return err
}

// patience returns the time that an option's seconds mean. C's clock is
// generous by a fiftieth of a second, so that 0 reaches a host nearby.
func patience(seconds uint32) time.Duration {
	return time.Duration(seconds)*time.Second + 20*time.Millisecond
}

// outcome waits for a connection that was begun. When time is over the error
// is ETIMEDOUT.
func outcome(fd int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	switch err := socket.Wait(fd, unix.POLLOUT, deadline); {
	case err == os.ErrDeadlineExceeded:
		return syscall.ETIMEDOUT
	case err != nil:
		return err
	}
	return socketError(fd)
}

// socketError returns why a connection failed, nil when it is made.
func socketError(fd int) error {
	errno, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	return err
}

// at names an address in messages.
func at(a netip.Addr, port uint16) string {
	return a.String() + " port " + strconv.Itoa(int(port))
}

// say writes a line of tcpclient's, whatever program this is.
func say(env *prog.Env, line string) {
	env.Say("tcpclient: " + line)
}
