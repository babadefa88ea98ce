// Package socket has connected sockets that end with a context. The package
// net is avoided for the memory that it would cost tcpserver.
package socket

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A Conn is a socket to one remote address. It fails with os.ErrClosed when
// its context has ended, and with os.ErrDeadlineExceeded after its deadline.
type Conn struct {
	descriptor
	remote  netip.AddrPort
	limit   time.Time // the deadline of the context; zero for none
	release func() bool
}

// A descriptor is a socket and a way to wait for it.
type descriptor interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close() error
	SetDeadline(t time.Time) error

	// try calls do, each time the socket may have become writable, until it
	// says that it has done all it can, and returns its error.
	try(do func(fd int) (err error, done bool)) error
}

// Open returns a socket of a kind, such as syscall.SOCK_STREAM, for talking
// to a remote address. It is closed by the caller.
func Open(ctx context.Context, kind int, remote netip.AddrPort) (*Conn, error) {
	fd, err := syscall.Socket(Family(remote.Addr()), kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &Conn{remote: remote, release: func() bool { return false }}
	c.limit, _ = ctx.Deadline()
	if isDirect(ctx) {
		c.descriptor = &direct{fd: fd, deadline: c.limit}
		return c, nil
	}
	f := os.NewFile(uintptr(fd), "socket")
	c.descriptor = polled{f}
	c.release = context.AfterFunc(ctx, func() { f.Close() })
	return c, nil
}

// Close closes the socket and forgets the context.
func (c *Conn) Close() error {
	c.release()
	return c.descriptor.Close()
}

// SetDeadline sets the time at which all calls fail, which is that of the
// context at the latest.
func (c *Conn) SetDeadline(t time.Time) error {
	if !c.limit.IsZero() && c.limit.Before(t) {
		t = c.limit
	}
	return c.descriptor.SetDeadline(t)
}

// Bind makes the socket talk from an address, and a port that the kernel
// chooses.
func (c *Conn) Bind(local netip.Addr) error {
	return c.try(func(fd int) (error, bool) {
		return syscall.Bind(fd, Sockaddr(netip.AddrPortFrom(local, 0))), true
	})
}

// Connect waits until the socket is connected. It asks the kernel again and
// again, since a poller may call a socket ready that is not.
func (c *Conn) Connect() error {
	to := Sockaddr(c.remote)
	return c.try(func(fd int) (error, bool) {
		switch err := syscall.Connect(fd, to); err {
		case syscall.EINPROGRESS, syscall.EALREADY:
			return nil, false
		case syscall.EISCONN: // not on Linux, where the second call returns nil
			return nil, true
		default:
			return err, true
		}
	})
}

// NoDelay makes a TCP socket send what is written at once, for a program that
// writes as much as it has in one piece.
func (c *Conn) NoDelay() error {
	return c.try(func(fd int) (error, bool) {
		return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1), true
	})
}
