package tcpserver

import (
	"math"
	"time"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
)

const usage = "tcpserver [ -1UXpPhHrRoOdDqQv ] [ -c limit ] [ -x rules.cdb ] [ -B banner ] [ -g gid ] [ -u uid ] [ -b backlog ] [ -l localname ] [ -t timeout ] host port program"

// What is said on standard error.
const (
	silent   = 0 // -q: nothing at all
	complain = 1 // -Q: errors
	verbose  = 2 // -v: errors and status lines
)

// options is a command line.
type options struct {
	Config
	supervision
	env       *prog.Env
	printPort bool   // -1
	backlog   int    // -b
	uid, gid  uint64 // -u, -g, -U; 0 means no change
	host      string
	port      uint16
}

// ParseOptions returns what options of the command line, which args begins
// with, ask of a server; what follows them is not looked at. The error is the
// usage. $UID and $GID are taken for unset.
func ParseOptions(args []string) (Config, error) {
	o := defaults()
	err := o.parse(&prog.Env{}, &args)
	return o.Config, err
}

// parseOptions reads the command line. The error is what the program ends
// with.
func parseOptions(env *prog.Env) (options, error) {
	o, args := defaults(), env.Args
	if err := o.parse(env, &args); err != nil {
		return o, err
	}
	if len(args) < 2 {
		return o, o.quiet(prog.Usage(usage, ""))
	}
	port, ok := ucspi.Port(args[1])
	if !ok {
		return o, o.quiet(prog.Fatal(111, "unable to figure out port number for "+args[1], nil))
	}
	if len(args) < 3 {
		return o, o.quiet(prog.Usage(usage, ""))
	}
	o.host, o.port, o.Program = args[0], port, args[2:]
	return o, nil
}

func defaults() options {
	return options{
		Config: Config{
			Limit:        40,
			Verbosity:    complain,
			RemoteHost:   true,
			RemoteInfo:   true,
			InfoTimeout:  26 * time.Second,
			ClearOptions: true,
		},
		supervision: newSupervision(),
		backlog:     1024, // unlike tcpserver 0.88, whose 20 costs bursts of clients a second
	}
}

// parse reads the options at the start of args and leaves the operands there.
// As ucspi-tcp 0.88 tcpserver.c.
func (o *options) parse(env *prog.Env, args *[]string) error {
	o.env = env
	for opt, arg := range getopt.Parse(args, "dDvqQhHrR1UXx:t:u:g:l:b:B:c:pPoOW:") {
		switch opt {
		case 'd', 'D':
			o.NoDelay = opt == 'D'
		case 'v':
			o.Verbosity = verbose
		case 'q':
			o.Verbosity = silent
		case 'Q':
			o.Verbosity = complain
		case 'h', 'H':
			o.RemoteHost = opt == 'h'
		case 'p', 'P':
			o.Paranoid = opt == 'p'
		case 'r', 'R':
			o.RemoteInfo = opt == 'r'
		case 'o', 'O':
			o.ClearOptions = opt == 'O'
		case '1':
			o.printPort = true
		case 'U':
			o.fromEnvironment(env)
		case 'X':
			o.AllowNoRules = true
		case 'x':
			o.RulesFile = arg
		case 't':
			o.InfoTimeout = seconds(prog.Leading(arg))
		case 'u':
			o.uid = prog.Leading(arg)
		case 'g':
			o.gid = prog.Leading(arg)
		case 'l':
			o.LocalHost = &arg
		case 'b':
			o.backlog = int(int32(prog.Leading(arg)))
		case 'B':
			o.Banner = arg
		case 'c':
			o.Limit = prog.Leading(arg)
		case 'W':
			if !o.set(arg) {
				return illegalWord(arg)
			}
		default:
			return prog.Usage(usage, arg)
		}
	}
	return nil
}

// fromEnvironment is -U: user and group from $UID and $GID, each if set.
func (o *options) fromEnvironment(env *prog.Env) {
	if s, set := env.Lookup("UID"); set {
		o.uid = prog.Leading(s)
	}
	if s, set := env.Lookup("GID"); set {
		o.gid = prog.Leading(s)
	}
}

// quiet returns err, under -q without its text, and without it too when it is
// told otherwise.
func (o *options) quiet(err error) error {
	e, ok := err.(*prog.Error)
	switch {
	case ok && o.Verbosity == silent:
	case ok && o.json && e.Severity != "":
		(&log{env: o.env}).fault(e)
	default:
		return err
	}
	return prog.Exit(e.Code)
}

// seconds returns n seconds, or the longest duration.
func seconds(n uint64) time.Duration {
	const longest = uint64(math.MaxInt64 / time.Second)
	return time.Duration(min(n, longest)) * time.Second
}
