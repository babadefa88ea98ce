package tcpserver

import (
	"context"
	"errors"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// A Conn is the two ends of a connection: the address here that the client has
// connected to, and the client's own. Scopes are no part of an address in rules
// and variables.
type Conn struct{ Local, Remote netip.AddrPort }

// An Admission is what was found out and decided about a connection.
type Admission struct {
	// Nil when unknown, as the variables TCPLOCALHOST ... are then unset.
	LocalHost, RemoteHost, RemoteInfo *string

	Decision rules.Decision // Deny: no program, and Environ is of no use
	Environ  rules.Environ  // for the program
}

// Admit finds out the names of c as far as the configuration wants them, and
// what the rules say about it. An error means that the rules could not be
// read: the connection must be dropped. A lookup that fails leaves its name
// unknown. As ucspi-tcp 0.88 tcpserver.c doit.
func (s *Server) Admit(ctx context.Context, c Conn) (Admission, error) {
	a := Admission{LocalHost: s.LocalHost}
	if a.LocalHost == nil {
		a.LocalHost = s.name(ctx, c.Local.Addr())
	}
	if s.RemoteHost {
		a.RemoteHost = s.remoteHost(ctx, c.Remote.Addr())
	}
	if s.RemoteInfo {
		a.RemoteInfo = s.remoteInfo(ctx, c)
	}
	if s.Rules != nil {
		var err error
		a.Decision, err = s.Rules(rules.Client{IP: ucspi.Text(c.Remote.Addr()), Host: a.RemoteHost, Info: a.RemoteInfo})
		// -X is for a file that is not there: one that is there but cannot
		// be read must never allow anybody.
		if err != nil && !(s.AllowNoRules && errors.Is(err, fs.ErrNotExist)) {
			return a, err
		}
	}
	a.Environ = a.Decision.Apply(a.facts(c).Append(ucspi.Clear(s.Environ)))
	return a, nil
}

func (a Admission) facts(c Conn) ucspi.Facts {
	return ucspi.Facts{Local: c.Local, Remote: c.Remote, LocalHost: a.LocalHost, RemoteHost: a.RemoteHost, RemoteInfo: a.RemoteInfo}
}

// name returns the name of an address, nil when it has none.
func (s *Server) name(ctx context.Context, a netip.Addr) *string {
	if s.Names == nil {
		return nil
	}
	name, err := s.Names.LookupPTR(ctx, a)
	if err != nil || name == "" {
		return nil
	}
	return &name
}

// remoteHost returns the name of the client. A name that must have the
// client's address and has not is unknown: anybody can claim any name in the
// zone of the own address.
func (s *Server) remoteHost(ctx context.Context, a netip.Addr) *string {
	name := s.name(ctx, a)
	if name == nil || !s.Paranoid {
		return name
	}
	lookup := s.Names.LookupA
	if a.Is6() {
		lookup = s.Names.LookupAAAA
	}
	addrs, err := lookup(ctx, *name)
	if err != nil || !slices.Contains(addrs, a.WithZone("")) {
		return nil
	}
	return name
}

func (s *Server) remoteInfo(ctx context.Context, c Conn) *string {
	if s.Info == nil {
		return nil
	}
	// C's clock is generous by a fiftieth of a second, so that 0 reaches a
	// server nearby. The sum may be more than there is.
	const grace = 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, max(s.InfoTimeout, s.InfoTimeout+grace))
	defer cancel()
	info, err := s.Info(ctx, c.Local, c.Remote)
	if err != nil {
		return nil
	}
	// An environment variable ends at the first NUL.
	info, _, _ = strings.Cut(info, "\x00")
	return &info
}

// freeBanner is the length in bytes of a banner that a new socket takes
// whether or not the client reads.
const freeBanner = 2048

// mayWait reports whether a connection may have to wait for the network before
// its program starts.
func (s *Server) mayWait() bool {
	return s.LocalHost == nil || s.RemoteHost || s.RemoteInfo || len(s.Banner) > freeBanner
}
