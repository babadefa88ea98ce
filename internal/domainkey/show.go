package domainkey

import (
	"context"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// show prints the records of a key that exists.
func show(env *prog.Env, o *options, home string) error {
	found, err := o.records(env, home)
	if err != nil {
		return err
	}
	return printRecords(env, o, found)
}

// withdraw prints the records that revoke a key: RFC 6376 section 3.6.1 has an
// empty p= say so, which tells more than a record that is gone. The key need
// not exist any more.
func (w world) withdraw(ctx context.Context, env *prog.Env, o *options, home string) error {
	w.premature(ctx, env, o, home)
	selectors := []string{o.selector}
	if exists(home + "/" + o.own() + second) {
		selectors = append(selectors, o.selector+second)
	}
	var changes []change
	for _, s := range selectors {
		name, _ := keys.RecordName(s, o.domain)
		changes = append(changes, change{name, "v=DKIM1; p=", true})
	}
	return o.print(env, changes)
}

// printRecords writes the records, which a key that was just made does not
// depend on: -p prints them again.
func printRecords(env *prog.Env, o *options, records []record) error {
	var changes []change
	for _, r := range records {
		text, err := keys.Record(r.public, o.testing)
		if err != nil {
			return err
		}
		name, _ := keys.RecordName(r.selector, o.domain)
		changes = append(changes, change{name, text, o.action != making})
	}
	err := o.print(env, changes)
	if e, ok := err.(*prog.Error); ok {
		e.Hint = "domainkey -p " + o.domain + " " + o.selector + " prints it again"
	}
	return err
}

// print writes changes in the form that was asked for, and nothing else, to
// standard output.
func (o *options) print(env *prog.Env, changes []change) error {
	var text string
	for _, c := range changes {
		text += o.form(c)
	}
	return output(env, text)
}
