package tcpserver_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// names is a DNS of two tables. A name that is not there has no answer, the
// answer "fail" is an error.
type names struct{ ptr, a, aaaa map[string]string }

func (n names) LookupPTR(_ context.Context, a netip.Addr) (string, error) {
	return answer(n.ptr[a.String()])
}

func (n names) LookupA(_ context.Context, name string) ([]netip.Addr, error) {
	return addresses(n.a[name])
}

func (n names) LookupAAAA(_ context.Context, name string) ([]netip.Addr, error) {
	return addresses(n.aaaa[name])
}

func addresses(list string) ([]netip.Addr, error) {
	s, err := answer(list)
	var addrs []netip.Addr
	for f := range strings.FieldsSeq(s) {
		addrs = append(addrs, netip.MustParseAddr(f))
	}
	return addrs, err
}

func answer(s string) (string, error) {
	if s == "fail" {
		return "", syscall.ETIMEDOUT
	}
	return s, nil
}

var conn = tcpserver.Conn{
	Local:  netip.MustParseAddrPort("10.0.0.1:25"),
	Remote: netip.MustParseAddrPort("10.0.0.2:4711"),
}

func ident(answer string, err error) func(context.Context, netip.AddrPort, netip.AddrPort) (string, error) {
	return func(_ context.Context, local, remote netip.AddrPort) (string, error) {
		if local != conn.Local || remote != conn.Remote {
			return "", errors.New("asked about another connection")
		}
		return answer, err
	}
}

// show returns the environment of a connection without what is the same for
// all of these tests, sorted.
func show(e rules.Environ) string {
	e = e.Without("PROTO", "TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEIP", "TCPREMOTEPORT")
	return strings.Join(slices.Sorted(slices.Values(e.Strings())), " ")
}

func TestAdmitNames(t *testing.T) {
	t.Parallel()
	local, none := "here", ""
	both := names{
		ptr: map[string]string{"10.0.0.1": "server.example", "10.0.0.2": "client.example"},
		a:   map[string]string{"client.example": "10.0.0.9 10.0.0.2"},
	}
	liar := names{ptr: both.ptr, a: map[string]string{"client.example": "10.0.0.3"}}
	broken := names{ptr: map[string]string{"10.0.0.1": "fail", "10.0.0.2": "fail"}}
	half := names{ptr: both.ptr, a: map[string]string{"client.example": "fail"}}
	for _, tt := range []struct {
		name   string
		config tcpserver.Config
		names  names
		info   string
		fails  error
		want   string
	}{
		{name: "nothing asked", config: tcpserver.Config{LocalHost: &local}, names: both, want: "TCPLOCALHOST=here"},
		{name: "-l empty", config: tcpserver.Config{LocalHost: &none}, names: both, want: "TCPLOCALHOST="},
		{name: "local name", names: both, want: "TCPLOCALHOST=server.example"},
		{name: "both names", config: tcpserver.Config{RemoteHost: true}, names: both, want: "TCPLOCALHOST=server.example TCPREMOTEHOST=client.example"},
		{name: "no names", config: tcpserver.Config{RemoteHost: true}, want: ""},
		{name: "no answers", config: tcpserver.Config{RemoteHost: true}, names: broken, want: ""},
		{name: "paranoid", config: tcpserver.Config{LocalHost: &local, RemoteHost: true, Paranoid: true}, names: both, want: "TCPLOCALHOST=here TCPREMOTEHOST=client.example"},
		{name: "not paranoid", config: tcpserver.Config{LocalHost: &local, RemoteHost: true}, names: liar, want: "TCPLOCALHOST=here TCPREMOTEHOST=client.example"},
		{name: "paranoid, another address", config: tcpserver.Config{LocalHost: &local, RemoteHost: true, Paranoid: true}, names: liar, want: "TCPLOCALHOST=here"},
		{name: "paranoid, no address", config: tcpserver.Config{LocalHost: &local, RemoteHost: true, Paranoid: true}, names: names{ptr: both.ptr}, want: "TCPLOCALHOST=here"},
		{name: "paranoid, no answer", config: tcpserver.Config{LocalHost: &local, RemoteHost: true, Paranoid: true}, names: half, want: "TCPLOCALHOST=here"},
		{name: "paranoid without -h", config: tcpserver.Config{LocalHost: &local, Paranoid: true}, names: both, want: "TCPLOCALHOST=here"},
		{name: "info", config: tcpserver.Config{LocalHost: &local, RemoteInfo: true}, info: "joe", want: "TCPLOCALHOST=here TCPREMOTEINFO=joe"},
		{name: "empty info", config: tcpserver.Config{LocalHost: &local, RemoteInfo: true}, want: "TCPLOCALHOST=here TCPREMOTEINFO="},
		{name: "info with NUL", config: tcpserver.Config{LocalHost: &local, RemoteInfo: true}, info: "jo\x00e", want: "TCPLOCALHOST=here TCPREMOTEINFO=jo"},
		{name: "no info", config: tcpserver.Config{LocalHost: &local, RemoteInfo: true}, info: "joe", fails: syscall.ECONNREFUSED, want: "TCPLOCALHOST=here"},
	} {
		tt.config.InfoTimeout = time.Minute
		s := &tcpserver.Server{
			Config:  tt.config,
			Environ: rules.Environ{"TCPREMOTEHOST=old", "TCPREMOTEINFO=old", "TCPLOCALHOST=old", "TCPREMOTEHOST=twice"},
			Names:   tt.names,
			Info:    ident(tt.info, tt.fails),
		}
		a, err := s.Admit(t.Context(), conn)
		if got := show(a.Environ); err != nil || got != tt.want {
			t.Errorf("%s: environment %q, error %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

// The ident exchange is bounded by -t, connecting included.
func TestAdmitInfoTimeout(t *testing.T) {
	t.Parallel()
	s := &tcpserver.Server{
		Config: tcpserver.Config{RemoteInfo: true, InfoTimeout: time.Nanosecond},
		Names:  names{},
		Info: func(ctx context.Context, _, _ netip.AddrPort) (string, error) {
			<-ctx.Done()
			return "late", ctx.Err()
		},
	}
	if a, err := s.Admit(t.Context(), conn); err != nil || a.RemoteInfo != nil {
		t.Errorf("Admit = %+v, %v; want no info", a, err)
	}
}

func TestAdmitRules(t *testing.T) {
	t.Parallel()
	missing := &fs.PathError{Op: "open", Path: "rules.cdb", Err: syscall.ENOENT}
	denied := &fs.PathError{Op: "open", Path: "rules.cdb", Err: syscall.EACCES}
	for _, tt := range []struct {
		name   string
		answer rules.Decision
		err    error
		X      bool // -X
		deny   bool
		want   string
		fails  bool
	}{
		{name: "allow", answer: rules.Decision{Found: true}, want: "A=old TCPREMOTEHOST=client.example"},
		{name: "variables", answer: rules.Decision{Found: true, Env: []rules.Var{{Name: "A", Value: "new"}, {Name: "TCPREMOTEHOST", Value: "x"}, {Name: "R"}}}, want: "A=new R= TCPREMOTEHOST=x"},
		{name: "deny", answer: rules.Decision{Found: true, Deny: true}, deny: true, want: "A=old TCPREMOTEHOST=client.example"},
		{name: "missing file", err: missing, fails: true},
		{name: "missing file, -X", err: missing, X: true, want: "A=old TCPREMOTEHOST=client.example"},
		{name: "unreadable file, -X", err: denied, X: true, fails: true},
		{name: "damaged file, -X", err: rules.ErrCorrupt, X: true, fails: true},
	} {
		none := ""
		s := &tcpserver.Server{
			Config:  tcpserver.Config{LocalHost: &none, RemoteHost: true, RulesFile: "rules.cdb", AllowNoRules: tt.X},
			Environ: rules.Environ{"A=old"},
			Names:   names{ptr: map[string]string{"10.0.0.2": "client.example"}},
			Rules: func(c rules.Client) (rules.Decision, error) {
				if c.IP != "10.0.0.2" || *c.Host != "client.example" || c.Info != nil {
					return rules.Decision{}, fmt.Errorf("asked about %+v", c)
				}
				return tt.answer, tt.err
			},
		}
		a, err := s.Admit(t.Context(), conn)
		if (err != nil) != tt.fails || tt.fails && !errors.Is(err, tt.err) {
			t.Errorf("%s: error %v", tt.name, err)
		}
		if got := show(a.Environ.Without("TCPLOCALHOST")); err == nil && (got != tt.want || a.Decision.Deny != tt.deny) {
			t.Errorf("%s: environment %q, deny %v; want %q, %v", tt.name, got, a.Decision.Deny, tt.want, tt.deny)
		}
	}
}

// Without anybody to ask, nothing is known, and nothing fails.
func TestAdmitAsksNobody(t *testing.T) {
	t.Parallel()
	s := &tcpserver.Server{Config: tcpserver.Config{RemoteHost: true, Paranoid: true, RemoteInfo: true}}
	a, err := s.Admit(t.Context(), conn)
	if err != nil || a.Decision.Deny || a.LocalHost != nil || a.RemoteHost != nil || a.RemoteInfo != nil {
		t.Errorf("Admit = %+v, %v; want nothing known", a, err)
	}
}
