package qmaildkim

import (
	"crypto"
	"errors"
	"slices"
	"strconv"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/spool"
	"ucspi-go/internal/ucspi"
	"ucspi-go/qmaildkim/keys"
)

// Reasons why a message is not signed, besides those of AuthorDomain and the
// faults of a header.
const (
	reasonOff        = "off"         // the key's path is empty
	reasonExempt     = "relayclient" // RELAYCLIENT_NODKIMVERIFY
	reasonRcpt       = "rcpt"        // the recipients do not ask for it
	reasonNoKey      = "no-key"      // no file of those tried exists
	reasonBlankLines = "blank-lines" // more in a row than the library can take
)

// reasonLetter is the reason of a refusal by the verdict, whose words the log
// has instead.
const reasonLetter = "letter"

// A Report says what was done with a message and why.
type Report struct {
	From       string   // the author's domain, empty when there is none
	Domain     string   // the domain to sign for, empty when there is none
	KeysLine   string   // the line of control/dkimkeys that says how, empty for none
	Pattern    string   // the configured path of the key, "%" standing for the domain
	Keys       []KeyTry // the key files that were tried, in order
	Signed     []Signed // the signatures made
	LeftOut    []Signed // those left out by DKIMPREFLIGHT=unsigned
	Reason     string   // why there are none, in a word that ReasonText explains, or why the message was refused
	Tried      []string // key files that do not exist, when that is the reason
	Recipients int      // how many the envelope has
	Match      string   // the recipient for which the message is signed, with DKIMRCPT
	Verdict    *Verdict // nil unless verified
	Action     string   // what the letters of DKIMVERIFY make of the verdict: accept, reject or defer; empty unless verified
	DryRun     bool     // Action is only told: the message goes on (DKIMDRYRUN)
	Warn       []string // what should be looked at, in words of the log
	Ignored    []string // options without effect

	queued  qmail.Code // what the queue program said
	refused bool
	blame   string // the file that Reason is about
	cause   error
}

// A KeyTry is a key file that was tried.
type KeyTry struct {
	Path string // as Signed.Key
	Err  error  // why it cannot be used: fs.ErrNotExist when it does not exist, nil when it can
}

func (r *Report) tryKey(path string, err error) {
	var fault *keys.FaultError
	if errors.As(err, &fault) {
		err = fault.Err
	}
	r.Keys = append(r.Keys, KeyTry{path, err})
}

// Signed is a signature that was made, or was to be made.
type Signed struct {
	Domain, Selector, Algorithm string // d=, s= and a=
	Key                         string // file of the key, as configured

	Public crypto.PublicKey // what verifiers must find at selector s= of d=
}

// fail makes the report that of a message that was not passed on.
func (r *Report) fail(err error) {
	r.Signed, r.refused, r.cause = nil, true, err
	var (
		refusal *Refusal
		read    *readError
		spooled *spool.Error
		queue   *qmail.QueueError
	)
	switch {
	case errors.As(err, &refusal):
		r.Reason, r.blame, r.cause = refusal.Reason, refusal.Path, refusal.Cause
	case errors.As(err, &read):
		r.Reason = "read-error"
	case errors.As(err, &spooled):
		r.Reason = "spool-error"
	case errors.As(err, &queue):
		r.Reason = "no-queue-program"
	default:
		r.Reason = "bad-envelope"
	}
}

func (r *Report) warn(word string)   { r.Warn = appendNew(r.Warn, word) }
func (r *Report) ignore(word string) { r.Ignored = appendNew(r.Ignored, word) }

func appendNew(words []string, word string) []string {
	if word == "" || slices.Contains(words, word) {
		return words
	}
	return append(words, word)
}

// Line returns the report as the log's line for a message that process pid
// handled: words of the form key=value behind what was done.
func (r Report) Line(pid int) string {
	l := &logLine{}
	l.WriteString("qmail-dkim: " + r.action())
	l.word("pid", strconv.Itoa(pid))
	l.word("from", ucspi.Safe(r.From))
	switch {
	case r.refused && r.Reason != reasonLetter:
		l.word("reason", r.Reason)
		l.word("key", r.blame)
		if r.cause != nil {
			l.word("cause", strings.ReplaceAll(prog.Errstr(r.cause), " ", "-"))
		}
	case r.Verdict != nil:
		l.verdict(r.Verdict)
		if r.DryRun && r.Action != actionAccept {
			l.word("verdict", actionAccept)
			l.word("dryrun", r.Action)
		} else {
			l.word("verdict", r.Action)
		}
	case len(r.Signed) == 0:
		l.word("reason", r.Reason)
		l.word("tried", strings.Join(r.Tried, ","))
	}
	for _, s := range r.Signed {
		l.word("d", s.Domain)
		l.word("s", s.Selector)
		l.word("a", s.Algorithm)
		l.word("key", s.Key)
	}
	if len(r.Signed) > 0 {
		l.word("rcpts", strconv.Itoa(r.Recipients))
		l.word("match", ucspi.Safe(r.Match))
	}
	if r.queued != qmail.Queued {
		l.word("queue", strconv.Itoa(int(r.queued)))
	}
	l.word("warn", strings.Join(r.Warn, ","))
	l.word("ignored", strings.Join(r.Ignored, ","))
	l.WriteByte('\n')
	return l.String()
}

func (r Report) action() string {
	switch {
	case r.refused:
		return "refuse"
	case r.Verdict != nil:
		return "verify"
	case len(r.Signed) > 0:
		return "sign"
	}
	return "unsigned"
}

// A logLine is a line of the log being written.
type logLine struct{ strings.Builder }

// word adds key=value, nothing for an empty value. What would break the line
// into other words becomes "?".
func (l *logLine) word(key, value string) {
	if value == "" {
		return
	}
	l.WriteString(" " + key + "=")
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f {
			l.WriteByte('?')
		} else {
			l.WriteByte(c)
		}
	}
}

func (l *logLine) verdict(v *Verdict) {
	l.word("result", string(rune(v.Letter)))
	if s, ok := v.Deciding(); ok {
		l.word("d", ucspi.Safe(s.Domain))
		l.word("s", ucspi.Safe(s.Selector))
		l.reason(s.Reason)
		l.word("hint", s.hint)
	} else {
		l.reason(v.Reason)
	}
}

func (l *logLine) reason(text string) {
	l.word("reason", ucspi.Safe(strings.ReplaceAll(text, " ", "-")))
}
