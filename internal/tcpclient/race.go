package tcpclient

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// headStart is how long an address is tried before the next one is tried too:
// the connection attempt delay of RFC 8305 section 5.
const headStart = 250 * time.Millisecond

// An attempt is a connection that is being made.
type attempt struct {
	fd       int
	to       netip.Addr
	deadline time.Time
}

// mixed reports whether the addresses are of both families, one of which may
// lead nowhere. With a local port there can be one attempt at a time.
func (o *options) mixed(addrs []netip.Addr) bool {
	return o.local.Port() == 0 && slices.ContainsFunc(addrs, netip.Addr.Is4) && slices.ContainsFunc(addrs, netip.Addr.Is6)
}

// race tries the addresses in their order, each when those before it have
// failed or had their head start, and returns the descriptor of the first
// connection, -1 if there is none. Each address has so much patience. Every
// failure is told to failed at once.
func (o *options) race(addrs []netip.Addr, patience time.Duration, failed func(netip.Addr, error)) (fd int) {
	var running []attempt
	var next time.Time // when the next address has its turn
	for len(addrs) > 0 || len(running) > 0 {
		now := time.Now()
		if len(addrs) > 0 && (len(running) == 0 || !now.Before(next)) {
			to := addrs[0]
			addrs, next = addrs[1:], now.Add(headStart)
			fd, err := o.begin(to)
			if err != nil {
				failed(to, err)
				next = now
				continue
			}
			running = append(running, attempt{fd, to, now.Add(patience)})
		}
		// The first to start is the first to be late.
		until := running[0].deadline
		if len(addrs) > 0 && next.Before(until) {
			until = next
		}
		ready, now := poll(running, until), time.Now()
		var still []attempt
		for i, a := range running {
			err := error(syscall.ETIMEDOUT)
			if ready[i] {
				err = socketError(a.fd)
			} else if now.Before(a.deadline) {
				still = append(still, a)
				continue
			}
			if err == nil {
				abandon(still)
				abandon(running[i+1:])
				return a.fd
			}
			syscall.Close(a.fd)
			failed(a.to, err)
			next = now
		}
		running = still
	}
	return -1
}

// begin starts to connect a new socket. Unlike for addresses that are tried
// one by one, that there can be none is a failure of this address alone: a
// host without IPv6 has no sockets for it.
func (o *options) begin(to netip.Addr) (fd int, err error) {
	if fd, err = o.open(to); err != nil {
		var cause syscall.Errno
		errors.As(err, &cause)
		return -1, cause
	}
	if err = begin(fd, netip.AddrPortFrom(to, o.port)); err != nil {
		syscall.Close(fd)
	}
	return fd, err
}

func abandon(list []attempt) {
	for _, a := range list {
		syscall.Close(a.fd)
	}
}

// poll waits until attempts have come to an end, or for a time, and returns
// which have.
func poll(list []attempt, until time.Time) []bool {
	fds := make([]unix.PollFd, len(list))
	for i, a := range list {
		fds[i] = unix.PollFd{Fd: int32(a.fd), Events: unix.POLLOUT}
	}
	for {
		timeout := min(max(time.Until(until).Milliseconds()+1, 0), math.MaxInt32)
		if _, err := unix.Poll(fds, int(timeout)); err != unix.EINTR {
			break
		}
	}
	ready := make([]bool, len(list))
	for i := range fds {
		ready[i] = fds[i].Revents != 0
	}
	return ready
}
