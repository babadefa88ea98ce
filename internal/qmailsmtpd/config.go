package qmailsmtpd

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/rules"
)

const defaultTimeout = 1200 * time.Second

// config is what control files and environment say about a session.
type config struct {
	greeting    string // control/smtpgreeting, else control/me
	localIPHost string // name for addresses @[our own IP]; see hasIPHost
	hasIPHost   bool
	timeout     time.Duration
	rcpthosts   map[string]bool // lower case; nil when everything is accepted

	moreRcptHosts *rules.DB // nil for none; only read when there are rcpthosts

	badMailFrom map[string]bool // lower case
	dataBytes   uint64          // 0 means no limit

	maxRecipients uint64 // of a message; 0 means no limit but that of the envelope

	remoteIP, remoteHost, local string
	clientName                  string // remoteHost in lower case
	remoteInfo                  string // see hasInfo
	hasInfo                     bool
	relayClient                 string // appended to recipients; see relaying
	relaying                    bool   // RELAYCLIENT is set, even if empty
	queue                       string // the queue program
}

// readConfig fails when a control file cannot be read, or when there is no
// greeting.
func readConfig(env *prog.Env, home string) (config, error) {
	control := qmail.Control(filepath.Join(home, "control"))
	c := config{timeout: defaultTimeout}
	me, hasMe, err := control.Line("me")
	if err != nil {
		return c, err
	}
	line := func(name string) (string, bool) {
		s, found, e := control.Line(name)
		err = errors.Join(err, e)
		return s, found
	}
	orMe := func(name string) (string, bool) {
		if s, found := line(name); found {
			return s, true
		}
		return me, hasMe
	}
	lines := func(name string) map[string]bool {
		s, found, e := control.Lines(name)
		err = errors.Join(err, e)
		return set(s, found)
	}
	var found bool
	if c.greeting, found = orMe("smtpgreeting"); !found {
		return c, errControls
	}
	c.localIPHost, c.hasIPHost = orMe("localiphost")
	s, _ := line("timeoutsmtpd")
	if n, digits := prog.Number(s); digits > 0 {
		c.timeout = seconds(n)
	}
	s, _ = line("databytes")
	c.dataBytes = prog.Leading(s)
	c.rcpthosts = lines("rcpthosts")
	if c.rcpthosts != nil {
		var e error
		if c.moreRcptHosts, e = openMore(control); e != nil {
			return c, e
		}
	}
	c.badMailFrom = lines("badmailfrom")
	c.readEnviron(env)
	return c, err
}

// warnOfControls tells the log what the client's 421 does not.
func warnOfControls(env *prog.Env, home string, err error) {
	var path *fs.PathError
	switch {
	case err == errControls:
		env.Warn("neither control/me nor control/smtpgreeting is in "+home, nil)
	case errors.As(err, &path):
		env.Warn("unable to read "+path.Path, path.Err)
	default:
		env.Warn("unable to read "+filepath.Join(home, "control"), err)
	}
}

// openMore opens control/morercpthosts.cdb, nil when there is none. The
// session's end closes it.
func openMore(control qmail.Control) (*rules.DB, error) {
	db, err := rules.Open(filepath.Join(string(control), "morercpthosts.cdb"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return db, err
}

// readEnviron takes what tcpserver and its rules say.
func (c *config) readEnviron(env *prog.Env) {
	or := func(name, otherwise string) string {
		if s, set := env.Lookup(name); set {
			return s
		}
		return otherwise
	}
	if s, set := env.Lookup("DATABYTES"); set {
		c.dataBytes = prog.Leading(s)
	}
	c.maxRecipients = prog.Leading(or("MAXRECIPIENTS", ""))
	c.remoteIP = or("TCPREMOTEIP", "unknown")
	c.remoteHost = or("TCPREMOTEHOST", "unknown")
	c.clientName = lower(c.remoteHost)
	c.local = or("TCPLOCALHOST", or("TCPLOCALIP", "unknown"))
	c.remoteInfo, c.hasInfo = env.Lookup("TCPREMOTEINFO")
	c.relayClient, c.relaying = env.Lookup("RELAYCLIENT")
	c.queue = QueueProgram(env)
}

// QueueProgram returns the queue program that messages are handed to, from
// the qmail home unless it is absolute.
func QueueProgram(env *prog.Env) string {
	if s, set := env.Lookup("QMAILQUEUE"); set {
		return s
	}
	return "bin/qmail-queue"
}

// seconds returns n seconds as a time limit: at least one second, and at most
// what poll can wait.
func seconds(n uint64) time.Duration {
	return time.Duration(min(max(n, 1), math.MaxInt32/1000)) * time.Second
}

// set returns the lines as a set of lower-case words, or nil when they were
// not found.
func set(lines []string, found bool) map[string]bool {
	if !found {
		return nil
	}
	m := make(map[string]bool, len(lines))
	for _, s := range lines {
		m[lower(s)] = true
	}
	return m
}

// lower returns s with A-Z as a-z.
func lower(s string) string { return string(appendLower(nil, []byte(s))) }
