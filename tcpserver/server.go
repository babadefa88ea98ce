package tcpserver

import (
	"context"
	"net/netip"
	"time"

	"ucspi-go/rules"
)

// Config is how a Server treats connections, each field an option of tcpserver.
// Admit reads only LocalHost, RemoteHost, Paranoid, RemoteInfo, InfoTimeout and
// AllowNoRules; the zero value of the others is not their default.
type Config struct {
	Program   []string // with arguments; Program[0] is searched in PATH
	Limit     uint64   // -c: programs at the same time
	Verbosity int      // 0 -q: silent, 1 -Q: errors, 2 -v: status lines too

	RulesFile    string // -x; empty for none
	AllowNoRules bool   // -X: a file that does not exist allows everything
	Banner       string // -B: sent before anything else

	LocalHost   *string       // -l: the local name; nil: look it up
	RemoteHost  bool          // -h: look the remote name up
	Paranoid    bool          // -p: the name must have the remote address
	RemoteInfo  bool          // -r: ask the client's ident server
	InfoTimeout time.Duration // -t: for the whole of that

	ClearOptions bool // -O: remove IP options
	NoDelay      bool // -D: TCP_NODELAY
}

// Names finds names and addresses, by the DNS or, in a test, from a table. No
// answer is not an error: the name is then empty, the list nil.
type Names interface {
	LookupPTR(ctx context.Context, a netip.Addr) (name string, err error)
	LookupA(ctx context.Context, name string) ([]netip.Addr, error)
	LookupAAAA(ctx context.Context, name string) ([]netip.Addr, error)
}

// A Server decides about connections and, under Run, serves one listening
// socket. The zero value allows everybody. Its fields must not change once it
// is used. Admit may be called concurrently as far as Names, Info and Rules may.
type Server struct {
	Config
	Environ rules.Environ // for the programs; facts of a connection in it are removed

	// Names finds LocalHost when that is nil, and RemoteHost when that is
	// wanted; nil knows none.
	Names Names

	// Info asks the client's ident server (RFC 1413), when RemoteInfo is
	// wanted; nil knows nothing.
	Info func(ctx context.Context, local, remote netip.AddrPort) (string, error)

	// Rules decides, as Lookup of rules.DB and rules.Live does; nil allows
	// everybody.
	Rules func(rules.Client) (rules.Decision, error)

	// Proxies reports whether any rule makes its clients proxies, of which
	// connections begin with a PROXY header; nil: none does.
	Proxies func() bool

	log      *log
	table    *table
	listener int

	supervision
	before *handed // nil: this process was no server before
	shared bool    // somebody else may have the listening socket too
	ready  int     // descriptor of who waits for a newline, or unset
	notify notifier
	gate   *gate // nil: accept itself waits
}
