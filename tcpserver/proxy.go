package tcpserver

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/proxyproto"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// tcpProxy in a rule makes its clients proxies: their connections begin with
// a header that says who the client is. Its value is how many seconds they
// have for that.
const tcpProxy = "TCPPROXY"

// proxies reports whether there may be proxies, which the files of rules of
// others never say.
func (s *Server) proxies() bool { return s.Proxies != nil && s.Proxies() }

// admit is Admit, unless the client is a proxy: then it returns how long that
// may take for its header, and nothing was decided. A proxy is known by its
// address alone, before anything else is found out about it.
func (s *Server) admit(ctx context.Context, c Conn) (a Admission, patience time.Duration, err error) {
	asks := s.LocalHost == nil || s.RemoteHost || s.RemoteInfo
	first := asks && s.proxies()
	if first {
		if patience = s.headerOf(c); patience > 0 {
			return a, patience, nil
		}
	}
	a, err = s.Admit(ctx, c)
	switch {
	case err != nil || first || !s.proxies():
		return a, 0, err
	case asks: // the first to see a new file
		return a, s.headerOf(c), nil
	default:
		return a, headerTime(a.Decision), nil
	}
}

// headerOf is headerTime of the rule of an address, whatever its name. That
// the rules cannot be read is left to Admit to find.
func (s *Server) headerOf(c Conn) time.Duration {
	d, err := s.Rules(rules.Client{IP: ucspi.Text(c.Remote.Addr())})
	if err != nil {
		return 0
	}
	return headerTime(d)
}

// headerTime returns how long the clients of a rule may take for a header, 0
// if they have none.
func headerTime(d rules.Decision) (patience time.Duration) {
	const usual, longest = 10 * time.Second, 5 * time.Minute
	if d.Deny {
		return 0
	}
	for _, v := range d.Env {
		if v.Name == tcpProxy {
			patience = min(seconds(prog.Leading(v.Value)), longest)
			if patience == 0 {
				patience = usual
			}
		}
	}
	return patience
}

// decideProxied decides about a connection of a proxy by its header: with the
// client's addresses in place of the proxy's, or, when it is the proxy's own,
// about that. Who goes without a word has only looked whether somebody is there.
func (s *Server) decideProxied(ctx context.Context, fd int, c Conn, patience time.Duration) {
	var h proxyproto.Header
	err := polled(fd, patience, func(f *os.File) (err error) {
		h, err = proxyproto.Read(f)
		return err
	})
	switch {
	case err == proxyproto.ErrNone || errors.Is(err, syscall.ECONNRESET):
		n := s.table.number()
		s.log.pid(n, c.Remote)
		s.table.ended(n, 0)
		return
	case err != nil:
		s.drop(c, "proxy", "unable to read PROXY header of "+ucspi.Text(c.Remote.Addr()), headerErrno(err))
		return
	}
	if !h.Own {
		c = Conn{Local: h.Destination, Remote: h.Source}
	}
	a, err := s.Admit(ctx, c)
	s.conclude(fd, c, a, err)
}

func headerErrno(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return syscall.ETIMEDOUT
	case errors.Is(err, proxyproto.ErrInvalid), errors.Is(err, io.ErrUnexpectedEOF):
		return syscall.EPROTO
	}
	return err
}

// headerComes reports whether a connection, of a client who is no proxy,
// begins with a header. A proxy sends it at once, and a client that waits to
// be greeted never, so that it may take no more than a moment.
func headerComes(fd int) (header bool) {
	const moment = 100 * time.Millisecond
	_ = polled(fd, moment, func(f *os.File) error {
		conn, err := f.SyscallConn()
		if err != nil {
			return err
		}
		return conn.Read(func(fd uintptr) (done bool) {
			var b [16]byte
			n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
			if err != nil {
				return err != syscall.EAGAIN && err != syscall.EINTR
			}
			var more bool
			header, more = proxyproto.Begins(b[:n])
			return n == 0 || !more
		})
	})
	return header
}

// polled calls do with a socket that waits in the Go runtime's poller, not for
// longer than patience. The socket blocks again afterwards, as its program
// expects. In the kernel each that waits would need a thread.
func polled(fd int, patience time.Duration, do func(*os.File) error) error {
	dup, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return errno
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		syscall.Close(int(dup))
		return err
	}
	defer syscall.SetNonblock(fd, false)
	f := os.NewFile(dup, "socket")
	defer f.Close()
	if err := f.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	return do(f)
}
