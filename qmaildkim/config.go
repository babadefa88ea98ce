package qmaildkim

import (
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/qmail"
	"ucspi-go/internal/sandbox"
	"ucspi-go/rules"
)

// Config is what an environment asks for. It is made by ConfigFrom, after which
// the exported fields may be changed.
type Config struct {
	Mode    Mode
	Asked   []Setting // the variables by which Mode was decided, in order
	Home    string    // where relative paths start
	Control string    // folder of the control files
	TempDir string    // for messages too large for memory; empty is /tmp
	Queue   string    // the queue program, from Home unless absolute

	KeysFile   string // read in place of dkimkeys in Control; empty is that
	Selector   string // s= of the first signature; empty is the last component of the key's path
	AuthServID string // own name in Authentication-Results; empty is that in control/me
	Align      bool   // a good signature counts only for the author's domain

	LookupTime time.Duration // for all keys of a message; 0 is 10 seconds, 2 for those of DKIMPREFLIGHT

	sandbox  bool // SANDBOX: give up what is not needed
	logFd    int  // for the log line; -1 for none
	queueSet bool // Queue is DKIMQUEUE: it may be a filter, which needs no envelope
	policy   policy
	domain   string // DKIMDOMAIN, as configured
	signing  signing
	keysFile bool // control/dkimkeys is read
	rcpts    []string
	rcptAll  bool
	environ  rules.Environ // on which the settings of dkimkeys are put
}

// signing is how a message is signed.
type signing struct {
	key      string // path, with "%" for the domain
	options  options
	extraKey string // path for a second signature, empty for none
	extra    options
	exclude  []string // beginnings of field names that are not signed

	preflight     preflight
	preflightTypo bool // its value means nothing
}

// ConfigFrom returns the configuration that environ holds. It is the only
// reader of variables in this package; control files are read with each
// message. The error is a *Refusal when a message is to be signed and the
// options for that are bad; Config is usable for telling it.
//
// Everywhere count QMAILHOME (/var/qmail), CONTROLDIR (control), TMPDIR,
// DKIMQUEUE, DKIMLOG, SANDBOX and those that decide the Mode. For signing:
// DKIMKEY, DKIMSIGNOPTIONS, DKIMIDENTITY, DKIMEXPIRE, DKIMDOMAIN,
// EXCLUDE_DKIMSIGN, DKIMSIGNEXTRA, DKIMSIGNOPTIONSEXTRA, DKIMRCPT,
// DKIMRCPTMATCH, NODKIMKEYS and DKIMPREFLIGHT. For verifying: DKIMAUTHSERVID,
// DKIMDNSTIMEOUT, DKIMALIGN, DKIMDRYRUN, SIGNATUREDOMAINS, NOSIGNATUREDOMAINS
// and UNSIGNED_FROM.
func ConfigFrom(environ rules.Environ) (Config, error) {
	value := func(name string) string {
		v, _ := environ.Lookup(name)
		return v
	}
	home := qmail.Home(environ.Lookup)
	c := Config{
		Home:       home,
		Control:    string(qmail.ControlDir(home, environ.Lookup)),
		TempDir:    value("TMPDIR"),
		Queue:      value("DKIMQUEUE"),
		AuthServID: value("DKIMAUTHSERVID"),
		domain:     value("DKIMDOMAIN"),
		rcptAll:    value("DKIMRCPTMATCH") == "all",
		environ:    environ,
	}
	if c.queueSet = c.Queue != ""; !c.queueSet {
		c.Queue = "bin/qmail-queue"
	}
	if list := value("DKIMRCPT"); list != "" {
		c.rcpts = strings.Split(list, ":")
	}
	set := func(name string) bool {
		_, set := environ.Lookup(name)
		return set
	}
	c.Align = set("DKIMALIGN")
	c.sandbox = set(sandbox.Variable)
	c.LookupTime = lookupTime(value("DKIMDNSTIMEOUT"))
	c.keysFile = !set("NODKIMKEYS")
	c.policy = policy{
		letters:      value(envVerify),
		dryRun:       set("DKIMDRYRUN"),
		signed:       value("SIGNATUREDOMAINS"),
		hasSigned:    set("SIGNATUREDOMAINS"),
		exempt:       value("NOSIGNATUREDOMAINS"),
		hasExempt:    set("NOSIGNATUREDOMAINS"),
		unsignedFrom: set("UNSIGNED_FROM"),
	}
	c.logFd = logDescriptor(environ)
	var key string
	if c.Mode, key, c.Asked = modeOf(environ); c.Mode != ModeSign {
		return c, nil
	}
	var err error
	if c.signing, err = signingFrom(environ, key); err != nil {
		return c, err
	}
	return c, nil
}

// lookupTime reads a time in seconds, from 1 to maxLookupBudget; anything else
// is 0, since a typo must not refuse mail.
func lookupTime(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 16)
	if d := time.Duration(n) * time.Second; err == nil && d <= maxLookupBudget {
		return d
	}
	return 0
}

// logDescriptor returns where the log line goes, -1 for nowhere.
func logDescriptor(environ rules.Environ) int {
	if s, set := environ.Lookup("DKIMLOG"); set {
		return qmail.Descriptor(s)
	}
	return 2
}

// signingFrom returns how environ asks for signing with the key at path. The
// error is a *Refusal.
func signingFrom(environ rules.Environ, path string) (signing, error) {
	s := signing{key: path}
	var known bool
	s.preflight, known = preflightOf(environ)
	s.preflightTypo = !known
	text, _ := environ.Lookup("DKIMSIGNOPTIONS")
	var err error
	if s.options, err = parseOptions(text, environ); err != nil {
		return s, refuseOptions.because(err)
	}
	if list, _ := environ.Lookup("EXCLUDE_DKIMSIGN"); list != "" {
		for prefix := range strings.SplitSeq(list, ":") {
			if prefix = strings.TrimSpace(prefix); prefix != "" {
				s.exclude = append(s.exclude, strings.ToLower(prefix))
			}
		}
	}
	s.extraKey, _ = environ.Lookup("DKIMSIGNEXTRA")
	if extra, set := environ.Lookup("DKIMSIGNOPTIONSEXTRA"); set {
		text = extra
	}
	if s.extra, err = parseOptions(text, environ); err != nil {
		return s, refuseOptions.because(err)
	}
	return s, nil
}
