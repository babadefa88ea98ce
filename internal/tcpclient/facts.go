package tcpclient

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/ident"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/ucspi"
)

// conn are the two ends of a connection.
type conn struct{ local, remote netip.AddrPort }

// endsOf asks the kernel, since the connection may be lost already.
func endsOf(fd int) (c conn, err error) {
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		return c, prog.Fatal(111, "unable to get local address", err)
	}
	c.local, _ = socket.AddrPort(sa)
	if sa, err = syscall.Getpeername(fd); err != nil {
		return c, prog.Fatal(111, "unable to get remote address", err)
	}
	c.remote, _ = socket.AddrPort(sa)
	return c, nil
}

// facts finds out the names of a connection as far as the options want them.
// A failure leaves its name unknown. Unlike tcpserver, an address that has no
// name has a known, empty name. As ucspi-tcp 0.88 tcpclient.c.
func (o *options) facts(ctx context.Context, r *dns.Resolver, c conn) ucspi.Facts {
	f := ucspi.Facts{Local: c.local, Remote: c.remote, LocalHost: o.localHost}
	if f.LocalHost == nil {
		f.LocalHost = name(ctx, r, c.local.Addr())
	}
	if o.remoteHost {
		f.RemoteHost = name(ctx, r, c.remote.Addr())
	}
	if o.remoteInfo {
		ctx := socket.Until(ctx, time.Now().Add(patience(o.infoTimeout)))
		if info, err := ident.Query(ctx, c.local, c.remote); err == nil {
			f.RemoteInfo = &info
		}
	}
	return f
}

func name(ctx context.Context, r *dns.Resolver, a netip.Addr) *string {
	name, err := r.LookupPTR(ctx, a)
	if err != nil {
		return nil
	}
	return &name
}
