package mailpath

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// Decisions about a connection.
const (
	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// unknown are the facts of a connection that nobody can know before it is
// there. tcpserver sets them, and here they are left out.
var unknown = []string{"TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEPORT", "TCP6LOCALIP", "TCP6LOCALPORT", "TCP6REMOTEPORT"}

// given are the names that were given for a client.
type given struct {
	ip   netip.Addr
	host *string
}

// LookupPTR returns the client's name.
func (g given) LookupPTR(_ context.Context, a netip.Addr) (string, error) {
	if a == g.ip && g.host != nil {
		return *g.host, nil
	}
	return "", nil
}

// LookupA and LookupAAAA are for tcpserver -p, which is not asked for.
func (g given) LookupA(context.Context, string) ([]netip.Addr, error)    { return nil, nil }
func (g given) LookupAAAA(context.Context, string) ([]netip.Addr, error) { return nil, nil }

// connect has tcpserver decide about the connection, started from this
// environment.
func (x *explainer) connect(ctx context.Context) error {
	db, err := rules.Open(x.rules)
	if err != nil {
		e := &prog.Error{Code: 111, Severity: "fatal", What: "unable to read " + x.rules + " as " + x.user.Name, Err: err,
			Hint: "tcpserver drops every connection when it cannot read its rules; -x names another file"}
		if errors.Is(err, rules.ErrCorrupt) {
			e.Hint = "that is no whole cdb: compile the rules with tcprules; tcpserver drops every connection until then"
		}
		return e
	}
	defer db.Close()
	s := &tcpserver.Server{
		Config:  tcpserver.Config{LocalHost: x.local, RemoteHost: x.host != nil, RemoteInfo: x.info != nil, InfoTimeout: time.Second},
		Environ: x.env.Environ,
		Names:   given{x.ip, x.host},
		Info:    func(context.Context, netip.AddrPort, netip.AddrPort) (string, error) { return *x.info, nil },
		Rules:   db.Lookup,
	}
	a, err := s.Admit(ctx, tcpserver.Conn{Local: netip.AddrPortFrom(netip.IPv4Unspecified(), 25), Remote: netip.AddrPortFrom(x.ip, 0)})
	if err != nil {
		return prog.Fatal(111, "unable to read "+x.rules, err)
	}
	x.environ = a.Environ
	d := a.Decision
	c := &x.Connection
	*c = Connection{IP: x.ip.String(), Host: cleanName(a.RemoteHost), Info: cleanName(a.RemoteInfo), Rules: clean(x.rules),
		Found: d.Found, Key: clean(rules.AddressOf(d.Key)), Decision: decisionAllow, Sets: []string{}}
	if d.Deny {
		c.Decision = decisionDeny
	}
	for _, key := range d.Tried {
		c.Tried = append(c.Tried, clean(rules.AddressOf(key)))
	}
	for _, v := range d.Env {
		c.Sets = append(c.Sets, clean(v.String()))
	}
	_, c.Relay = a.Environ.Lookup("RELAYCLIENT")
	ruled, before := d.Apply(nil), ucspi.Clear(x.env.Environ)
	for _, s := range a.Environ.Without(unknown...) {
		name, _, _ := strings.Cut(s, "=")
		_, set := ruled.Lookup(name)
		inherited := slices.Contains(before, s) && !set
		switch {
		case !inherited:
			c.Environment = append(c.Environment, clean(s))
		case reads(name):
			c.Environment = append(c.Environment, clean(s))
			c.Inherited = append(c.Inherited, clean(s))
		}
	}
	return x.source(db, d)
}

// reads reports whether a program of the path reads a variable, so that it
// matters where it was inherited. The others, which may hold secrets of the
// shell, are nobody's business.
func reads(name string) bool {
	switch name {
	case "QMAILHOME", "CONTROLDIR", "QMAILQUEUE", "RELAYCLIENT", "AUTHINFO", "DATABYTES", "MAXRECIPIENTS", "TMPDIR",
		"ERROR_FD", "SANDBOX", "DNSCACHEIP", "DNSREWRITEFILE", "LOCALDOMAIN", "EXCLUDE_DKIMSIGN", "NODKIMKEYS", "UNSIGNED_FROM",
		"SIGNATUREDOMAINS", "NOSIGNATUREDOMAINS", "RELAYCLIENT_NODKIMVERIFY":
		return true
	}
	return strings.HasPrefix(name, "DKIM")
}

func cleanName(s *string) *string {
	if s == nil {
		return nil
	}
	name := clean(*s)
	return &name
}
