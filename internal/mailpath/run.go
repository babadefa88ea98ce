// Package mailpath explains a connection and a message end to end: which rule
// decides, what environment it makes, which program gets the message, whether
// and why that signs, verifies or refuses, and what to mend. The answers come
// from the packages that run the path. Nothing is queued, and nothing sent.
package mailpath

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"syscall"

	"ucspi-go/internal/account"
	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/ucspi"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// Exit codes besides those of prog.
const (
	exitRefused = 1 // the connection, a recipient or the message
	exitFault   = 2 // accepted, but there is something to mend
)

// Run is the program mailpath.
func Run(ctx context.Context, env *prog.Env) error {
	o, err := parse(env.Args)
	if err != nil {
		return err
	}
	x := &explainer{options: o, env: env}
	// What only the administrator may read is opened before the user changes.
	if err := x.openMessage(); err != nil {
		return err
	}
	if x.message != nil {
		defer x.message.Close()
	}
	x.readText()
	if err := become(o.user); err != nil {
		return err
	}
	if err := x.explain(ctx); err != nil {
		return err
	}
	if err := x.print(env.Stdout); err != nil {
		return prog.Fatal(111, "unable to write output", err)
	}
	if x.Exit != 0 {
		return prog.Exit(x.Exit)
	}
	return nil
}

// become makes the process one of the user, so that permissions are found out
// and not guessed.
func become(user account.User) error {
	switch self := os.Geteuid(); {
	case user.UID == self:
		return nil
	case self != 0:
		return &prog.Error{Code: 111, Severity: "fatal", What: "unable to become " + user.Name, Err: syscall.EPERM,
			Hint: "-u takes root"}
	}
	return prog.Become(uint64(user.UID), uint64(user.GID))
}

// An explainer finds out what there is to explain, station by station.
type explainer struct {
	Explanation
	*options
	env     *prog.Env
	message io.ReadCloser // nil for none
	text    text

	environ  rules.Environ // of the connection's programs
	config   qmaildkim.Config
	refusal  *qmaildkim.Refusal // of the configuration; nil when it can be used
	answers  *dns.Answers
	examined *qmaildkim.Examined // nil when qmail-dkim got no message
	fatal    error               // trouble of ours with the message
}

func (x *explainer) openMessage() error {
	switch x.options.message {
	case "":
	case "-":
		x.message = io.NopCloser(x.env.Stdin)
	default:
		f, err := prog.Open(x.options.message, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return prog.Fatal(111, "unable to read "+x.options.message, err)
		}
		x.message = f
	}
	return nil
}

// explain follows the path until the message is refused or taken.
func (x *explainer) explain(ctx context.Context) error {
	x.Result, x.User = resultAccepted, clean(x.user.Name)
	if err := x.connect(ctx); err != nil {
		return err
	}
	x.judgeRules()
	if x.Connection.Decision == decisionDeny {
		x.Result = resultDenied
		x.Exit = exitRefused
		return nil
	}
	x.Home = clean(qmail.Home(x.environ.Lookup))
	x.answers = dns.NewAnswers(dns.New(x.environ.Lookup).LookupTXT)
	x.findQueue()
	if err := x.rehearse(ctx); err != nil {
		return err
	}
	if x.examined != nil {
		x.explainMessage(ctx)
	}
	x.judgeUser()
	switch {
	case x.Result != resultAccepted:
		x.Exit = exitRefused
	case len(x.Faults) > 0:
		x.Exit = exitFault
	}
	return nil
}

func (x *explainer) print(w io.Writer) error {
	if x.json {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(x.Explanation)
	}
	_, err := io.WriteString(w, show(&x.Explanation))
	return err
}

// How much is shown, in bytes, of a word of strangers, of a DNS record, and of
// what there is to say of something.
const (
	maxWord    = 255
	maxRecord  = 4096
	maxFinding = 2048
)

func clean(s string) string { return cleanTo(s, maxWord) }

func cleanTo(s string, limit int) string { return ucspi.Printable(s, limit) }
