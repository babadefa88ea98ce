package dkimtools

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// sign prints the fields that sign the message.
func (o *options) sign(ctx context.Context, env *prog.Env) error {
	config, err := qmaildkim.ConfigFrom(o.environ(env))
	if err != nil {
		return prog.Fatal(100, "unable to use the options", cause(err))
	}
	config.Selector = o.selector
	f := &qmaildkim.Filter{Config: config}
	e, err := f.Examine(ctx, env.Stdin)
	if err != nil {
		return o.fault(err)
	}
	defer e.Close()
	if len(e.Report.Signed) == 0 {
		return prog.Fatal(100, "unable to sign: "+o.unsigned(e.Report), nil)
	}
	if len(e.Report.Warn) > 0 {
		env.Warn("signed, but "+strings.Join(e.Report.Warn, ", "), nil)
	}
	if len(e.Report.Ignored) > 0 {
		env.Warn("without effect: "+strings.Join(e.Report.Ignored, " "), nil)
	}
	if _, err := io.WriteString(env.Stdout, e.Fields()); err != nil {
		return prog.Fatal(111, "unable to write output", err)
	}
	return nil
}

// environ returns the settings with which qmail-dkim would sign so. A key file
// in the current folder is found as well as one in the qmail folder.
func (o *options) environ(env *prog.Env) rules.Environ {
	var environ rules.Environ
	for _, name := range []string{"QMAILHOME", "CONTROLDIR", "TMPDIR"} {
		if value, set := env.Lookup(name); set {
			environ = environ.With(rules.Var{Name: name, Value: value})
		}
	}
	key := o.keyFile
	if _, err := os.Lstat(key); err == nil {
		if abs, err := filepath.Abs(key); err == nil {
			key = abs
		}
	}
	return environ.With(
		rules.Var{Name: "NODKIMKEYS"},
		rules.Var{Name: "DKIMSIGN", Value: key},
		rules.Var{Name: "DKIMDOMAIN", Value: o.domain},
		rules.Var{Name: "DKIMSIGNOPTIONS", Value: strings.Join(o.signing, " ")},
	)
}

// unsigned returns why there is no signature.
func (o *options) unsigned(r qmaildkim.Report) string {
	if len(r.Tried) > 0 {
		return "no key file " + strings.Join(r.Tried, " or ")
	}
	return qmaildkim.ReasonText(r.Reason)
}

// fault returns the error for a message that qmail-dkim would refuse.
func (o *options) fault(err error) error {
	var refusal *qmaildkim.Refusal
	if !errors.As(err, &refusal) {
		return prog.Fatal(111, "unable to read the message", err)
	}
	switch {
	case refusal.Reason == "no-key":
		return prog.Fatal(100, "unable to read "+o.keyFile, os.ErrNotExist)
	case refusal.Reason == "bad-dkimdomain":
		return prog.Fatal(100, "unable to use -d "+o.domain+": not a DNS name", nil)
	case refusal.Path != "":
		return prog.Fatal(111, "unable to use "+refusal.Path, cause(err))
	}
	return prog.Fatal(111, "unable to sign: "+refusal.Reason, cause(err))
}

// cause returns why a message is refused, without what the client is told.
func cause(err error) error {
	var refusal *qmaildkim.Refusal
	if errors.As(err, &refusal) {
		return refusal.Cause
	}
	return err
}
