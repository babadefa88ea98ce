package domainkey

import (
	"context"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

// check prints what every name server says of a key and returns nil when all
// publish it.
func (w world) check(ctx context.Context, env *prog.Env, o *options, home string) error {
	found, err := o.records(env, home)
	if err != nil {
		return err
	}
	code, err := w.everywhere(ctx, env, o, found)
	if err == nil && code != 0 {
		err = prog.Exit(code)
	}
	return err
}

// everywhere asks every name server for the keys and prints a line for each
// answer. The code is 0 when all publish them, 1 when one does not, and 111
// when none does not but one cannot be asked.
func (w world) everywhere(ctx context.Context, env *prog.Env, o *options, found []record) (code int, err error) {
	s := w.survey(env)
	var lines string
	for _, k := range found {
		name, _ := keys.RecordName(k.selector, o.domain)
		seen, err := s.observe(ctx, k, name)
		if err != nil {
			return 0, err
		}
		for _, o := range seen {
			lines += o.String() + "\n"
		}
		code = worse(code, verdict(seen))
	}
	return code, output(env, lines)
}

// verdict returns the code of everywhere for one key.
func verdict(seen []observation) int {
	code := 0
	for _, o := range seen {
		switch o.State {
		case qmaildkim.PublishedMatch, elsewhere, unasked:
		case qmaildkim.PublishedTemporary:
			code = worse(code, 111)
		default:
			code = 1
		}
	}
	return code
}

// worse returns what is said of two codes: a no is final, however many
// servers cannot be asked.
func worse(a, b int) int {
	if a == 1 || b == 1 {
		return 1
	}
	return max(a, b)
}
