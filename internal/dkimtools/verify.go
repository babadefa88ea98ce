package dkimtools

import (
	"context"
	"io"
	"strconv"
	"strings"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// Exit codes besides those of prog: of a verdict, and of dkim -v when
// DKIMVERIFY is set, as sagredo's dkim.
const (
	exitBad    = 1
	exitNone   = 2
	exitReject = 14
	exitDefer  = 88
)

// filter returns the Filter that verifies as qmail-dkim would in this
// environment, whoever the client is, but refuses nothing.
func filter(env *prog.Env) (*qmaildkim.Filter, error) {
	environ := rules.Environ(env.Environ).Without("DKIMSIGN", "RELAYCLIENT", "AUTHINFO")
	config, err := qmaildkim.ConfigFrom(environ.With(rules.Var{Name: "DKIMDRYRUN"}))
	return &qmaildkim.Filter{Config: config, LookupTXT: dns.New(env.Lookup).LookupTXT}, err
}

// VerdictCode returns the exit code for a verdict: 0 for a good signature, 2
// for none, 111 when trouble with the DNS may be gone later, else 1.
func VerdictCode(v *qmaildkim.Verdict) int {
	switch v.Result() {
	case "pass":
		return 0
	case "none":
		return exitNone
	case "temperror":
		return 111
	}
	return exitBad
}

// verify prints how the message's signatures verify.
func verify(ctx context.Context, env *prog.Env) error {
	f, err := filter(env)
	if err != nil {
		return prog.Fatal(111, "unable to read the settings", err)
	}
	e, err := f.Examine(ctx, env.Stdin)
	if err != nil {
		return prog.Fatal(111, "unable to read the message", err)
	}
	defer e.Close()
	if len(e.Report.Warn) > 0 {
		env.Warn(strings.Join(e.Report.Warn, ", "), nil)
	}
	v := e.Report.Verdict
	var b strings.Builder
	for i, s := range v.Signatures {
		b.WriteString("signature " + strconv.Itoa(i+1) + ": " + outcome(s.Letter) +
			" d=" + ucspi.Safe(s.Domain) + " s=" + ucspi.Safe(s.Selector) + " a=" + ucspi.Safe(s.Algorithm) + because(s.Reason) + "\n")
		if s.Hint != "" {
			b.WriteString("    " + s.Hint + "\n")
		}
	}
	b.WriteString("verdict: " + outcome(v.Letter) + because(v.Reason))
	code := VerdictCode(v)
	if _, set := env.Lookup("DKIMVERIFY"); set {
		b.WriteString(", " + e.Report.Action)
		code = map[string]int{"reject": exitReject, "defer": exitDefer}[e.Report.Action]
	}
	if _, err := io.WriteString(env.Stdout, b.String()+"\n"); err != nil {
		return prog.Fatal(111, "unable to write output", err)
	}
	if code != 0 {
		return prog.Exit(code)
	}
	return nil
}

func outcome(l qmaildkim.Letter) string { return l.String() + " " + l.Result() }

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
