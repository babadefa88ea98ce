package domainkey

import (
	"context"
	"io"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/qmaildkim/keys"
)

// keysDir is where the keys are, from qmail's home: where the usual
// DKIMKEY="control/domainkeys/%/default" looks.
const keysDir = "control/domainkeys"

// Run makes a key and prints its record, or with -p prints the record of one
// that exists: the record alone on standard output, each on one line, all else
// on standard error. As the domainkey script of libdomainkeys' users, but the
// link is named after the selector, and the record is for production.
func Run(ctx context.Context, env *prog.Env) error {
	o, err := parse(env.Args)
	if err != nil {
		return err
	}
	home := qmail.Home(env.Lookup)
	if o.print {
		return show(env, o, home)
	}
	return create(env, o, home)
}

// say writes a line of explanation.
func say(env *prog.Env, text string) {
	io.WriteString(env.Stderr, env.Name+": "+text+"\n")
}

// A published key is a key with what its record needs.
type published struct {
	selector string
	text     string // of the TXT record
}

// printRecords writes the records, which a key that was just made does not
// depend on: -p prints them again.
func printRecords(env *prog.Env, o *options, records []published) error {
	var lines string
	for _, r := range records {
		name, _ := keys.RecordName(r.selector, o.domain)
		lines += keys.ZoneLine(name, r.text) + "\n"
	}
	if _, err := io.WriteString(env.Stdout, lines); err != nil {
		return &prog.Error{Code: 111, Severity: "fatal", What: "unable to write the record", Err: err,
			Hint: "domainkey -p " + o.domain + " " + o.selector + " prints it again"}
	}
	return nil
}
