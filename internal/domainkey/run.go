// Package domainkey makes the key pairs of domains, prints their DNS records,
// asks name servers for them, and changes a domain from one key to the next.
package domainkey

import (
	"context"
	"io"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// keysDir is where the keys are, from qmail's home: where the usual
// DKIMKEY="control/domainkeys/%/default" looks.
const keysDir = "control/domainkeys"

// Run makes a key and prints its record, or does with keys that exist what the
// options say: what belongs into the DNS or is the answer on standard output,
// all else on standard error. Making is as the domainkey script of
// libdomainkeys' users, but the link is named after the selector, and the
// record is for production.
func Run(ctx context.Context, env *prog.Env) error { return usual.run(ctx, env) }

func (w world) run(ctx context.Context, env *prog.Env) error {
	o, err := parse(env.Args)
	if err != nil {
		return err
	}
	home := qmail.Home(env.Lookup)
	switch o.action {
	case printing:
		return show(env, o, home)
	case revoking:
		return w.withdraw(ctx, env, o, home)
	case checking:
		return w.check(ctx, env, o, home)
	case listing:
		return w.list(ctx, env, o, home)
	case changing:
		return w.change(ctx, env, o, home)
	}
	return create(env, o, home)
}

// say writes a line of explanation.
func say(env *prog.Env, text string) {
	env.Say(env.Name + ": " + text)
}

// output writes text to standard output.
func output(env *prog.Env, text string) error {
	if _, err := io.WriteString(env.Stdout, text); err != nil {
		return prog.Fatal(111, "unable to write the record", err)
	}
	return nil
}
