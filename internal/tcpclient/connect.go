package tcpclient

import (
	"context"
	"io"
	"net/netip"
	"os"
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
	addrs, err := addresses(socket.Direct(ctx), dns.New(env.Lookup), o.host)
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

// addresses returns the addresses of a host operand, at least one. This host
// is its address as text: the rules of DNSREWRITEFILE apply, as in C.
func addresses(ctx context.Context, r *dns.Resolver, host string) ([]netip.Addr, error) {
	if host == "" || host == "0" {
		host = "127.0.0.1"
	}
	addrs, err := r.LookupHost(ctx, host)
	if err != nil {
		return nil, prog.Fatal(111, "temporarily unable to figure out IP address for "+host, err)
	}
	if len(addrs) == 0 {
		return nil, prog.Fatal(111, "no IP address for "+host, nil)
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
// tcpclient.c.
func (o *options) connect(env *prog.Env, addrs []netip.Addr) (fd int, err error) {
	rounds := o.rounds(len(addrs))
	for len(rounds) > 0 {
		patience := patience(rounds[0])
		rounds = rounds[1:]
		var late []netip.Addr
		for _, a := range addrs {
			fd, err := o.open()
			if err != nil {
				return -1, err
			}
			err = reach(fd, netip.AddrPortFrom(a, o.port), patience)
			if err == nil {
				return fd, nil
			}
			syscall.Close(fd)
			if err == syscall.ETIMEDOUT && len(rounds) > 0 {
				late = append(late, a)
			} else if o.verbosity >= complain {
				say(env, "unable to connect to "+at(a, o.port)+": "+prog.Errstr(err))
			}
		}
		addrs = late
	}
	return -1, prog.Exit(111)
}

// open returns a socket with the local address that the options name.
func (o *options) open() (fd int, err error) {
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, prog.Fatal(111, "unable to create socket", err)
	}
	if err := syscall.Bind(fd, sockaddr(o.local)); err != nil {
		syscall.Close(fd)
		return -1, prog.Fatal(111, "unable to bind socket", err)
	}
	return fd, nil
}

// reach connects a non-blocking socket and makes it blocking. When time is
// over the error is ETIMEDOUT.
func reach(fd int, to netip.AddrPort, patience time.Duration) error {
	err := syscall.Connect(fd, sockaddr(to))
	if err == syscall.EINPROGRESS || err == syscall.EINTR {
		err = outcome(fd, patience)
	}
	if err != nil {
		return err
	}
	return syscall.SetNonblock(fd, false)
}

// patience returns the time that an option's seconds mean. C's clock is
// generous by a fiftieth of a second, so that 0 reaches a host nearby.
func patience(seconds uint32) time.Duration {
	return time.Duration(seconds)*time.Second + 20*time.Millisecond
}

// outcome waits for a connection that was begun.
func outcome(fd int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	switch err := socket.Wait(fd, unix.POLLOUT, deadline); {
	case err == os.ErrDeadlineExceeded:
		return syscall.ETIMEDOUT
	case err != nil:
		return err
	}
	errno, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	return err
}

func sockaddr(a netip.AddrPort) syscall.Sockaddr {
	return &syscall.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}

// at names an address in messages.
func at(a netip.Addr, port uint16) string {
	return a.String() + " port " + strconv.Itoa(int(port))
}

// say writes a line of tcpclient's, whatever program this is.
func say(env *prog.Env, line string) {
	io.WriteString(env.Stderr, "tcpclient: "+line+"\n")
}
