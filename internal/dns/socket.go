package dns

import (
	"context"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A socket is connected, or being connected, to one server. The package net
// is avoided for the memory it would cost tcpserver.
type socket struct {
	*os.File
	release func() bool
}

// open returns a socket of a type whose operations end when ctx does. The
// kernel chooses a port of its own at random, and by being connected the
// socket hears the server alone.
func open(ctx context.Context, kind int, server netip.AddrPort) (*socket, error) {
	family := syscall.AF_INET
	if server.Addr().Is6() {
		family = syscall.AF_INET6
	}
	fd, err := syscall.Socket(family, kind|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "dns")
	return &socket{f, context.AfterFunc(ctx, func() { f.Close() })}, nil
}

func (s *socket) close() {
	s.release()
	s.File.Close()
}

// connect waits until the socket is connected or its deadline has come. It
// asks again and again, since a poller may call a socket ready that is not.
func (s *socket) connect(server netip.AddrPort) error {
	conn, err := s.SyscallConn()
	if err != nil {
		return err
	}
	to := sockaddr(server)
	var failure error
	err = conn.Write(func(fd uintptr) bool {
		failure = syscall.Connect(int(fd), to)
		return failure != syscall.EINPROGRESS && failure != syscall.EALREADY
	})
	if err != nil {
		return err
	}
	if failure == syscall.EISCONN {
		return nil
	}
	return failure
}

// until sets the deadline of all operations to a time from now.
func (s *socket) until(wait time.Duration) { s.SetDeadline(time.Now().Add(wait)) }

func sockaddr(a netip.AddrPort) syscall.Sockaddr {
	if a.Addr().Is4() {
		return &syscall.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &syscall.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zone(a.Addr().Zone())}
}

// zone returns the index of the interface that a zone names, 0 for none.
func zone(name string) uint32 {
	n, err := strconv.ParseUint(name, 10, 32)
	if err != nil && name != "" {
		index, _ := os.ReadFile("/sys/class/net/" + name + "/ifindex")
		n, _ = strconv.ParseUint(strings.TrimSpace(string(index)), 10, 32)
	}
	return uint32(n)
}
