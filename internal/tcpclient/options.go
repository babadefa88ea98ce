package tcpclient

import (
	"net/netip"
	"strings"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
)

const usage = "tcpclient [ -hHrRdDqQv ] [ -i localip ] [ -p localport ] [ -T timeoutconn ] [ -l localname ] [ -t timeoutinfo ] host port program"

// What is said on standard error.
const (
	silent   = 0 // -q: nothing at all
	complain = 1 // -Q: errors
	verbose  = 2 // -v: the connection too
)

// options is a command line.
type options struct {
	verbosity   int            // -q, -Q, -v
	noDelay     bool           // -D
	local       netip.AddrPort // -i, not valid without it; -p, 0 lets the kernel choose
	times       [2]uint32      // -T: seconds for the first and the second try of an address
	localHost   *string        // -l: TCPLOCALHOST without a lookup; nil for a lookup
	remoteHost  bool           // -h
	remoteInfo  bool           // -r
	infoTimeout uint32         // -t, seconds
	host        string
	port        uint16
	program     []string
}

func defaults() options {
	return options{
		verbosity:   complain,
		times:       [2]uint32{2, 58},
		remoteHost:  true,
		remoteInfo:  true,
		infoTimeout: 26,
	}
}

// parseOptions reads the command line. The error is what the program ends
// with. As ucspi-tcp 0.88 tcpclient.c.
func parseOptions(env *prog.Env) (options, error) {
	o := defaults()
	args := env.Args
	for opt, arg := range getopt.Parse(&args, "dDvqQhHrRi:p:t:T:l:") {
		switch opt {
		case 'd', 'D':
			o.noDelay = opt == 'D'
		case 'v':
			o.verbosity = verbose
		case 'q':
			o.verbosity = silent
		case 'Q':
			o.verbosity = complain
		case 'h', 'H':
			o.remoteHost = opt == 'h'
		case 'r', 'R':
			o.remoteInfo = opt == 'r'
		case 'l':
			o.localHost = &arg
		case 't':
			o.infoTimeout = uint32(prog.Leading(arg))
		case 'T':
			o.times = parseTimes(arg)
		case 'i':
			ip, ok := parseIP(arg)
			if !ok {
				return o, prog.Usage(usage, "")
			}
			o.local = netip.AddrPortFrom(ip, o.local.Port())
		case 'p':
			o.local = netip.AddrPortFrom(o.local.Addr(), uint16(prog.Leading(arg)))
		default:
			return o, prog.Usage(usage, arg)
		}
	}
	if len(args) < 2 {
		return o, o.quiet(prog.Usage(usage, ""))
	}
	port, err := parsePort(args[1])
	if err != nil {
		return o, o.quiet(err)
	}
	if len(args) < 3 {
		return o, o.quiet(prog.Usage(usage, ""))
	}
	o.host, o.port, o.program = args[0], port, args[2:]
	return o, nil
}

// parseTimes reads "x+y": digits, a plus sign if there is one, digits.
func parseTimes(s string) [2]uint32 {
	x, n := prog.Number(s)
	return [2]uint32{uint32(x), uint32(prog.Leading(strings.TrimPrefix(s[n:], "+")))}
}

// parseIP reads an IPv6 address, or a dotted address from the start of s. Its
// numbers are decimal and cut to eight bits. As ucspi-tcp 0.88 ip4_scan.c.
func parseIP(s string) (netip.Addr, bool) {
	if ip, ok := dns.IPv6(s); ok {
		return ip, true
	}
	var ip [4]byte
	for i := range ip {
		if i > 0 {
			if !strings.HasPrefix(s, ".") {
				return netip.Addr{}, false
			}
			s = s[1:]
		}
		value, n := prog.Number(s)
		if n == 0 {
			return netip.Addr{}, false
		}
		ip[i] = byte(value)
		s = s[n:]
	}
	return netip.AddrFrom4(ip), true
}

// quiet returns err, under -q without its text.
func (o *options) quiet(err error) error {
	if e, ok := err.(*prog.Error); ok && o.verbosity == silent {
		return prog.Exit(e.Code)
	}
	return err
}
