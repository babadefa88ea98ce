package domainkey

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// A way is an environment in which qmail-dkim is to sign, or would be but for
// a setting in it.
type way struct {
	file    string // the rules that it is in; empty for none
	lines   []int
	environ rules.Environ
	sure    bool // it says that qmail-dkim runs

	// lookup is the resolver's, which DKIMPREFLIGHT needs.
	lookup func(ctx context.Context, name string) ([]string, error)
}

// maxLines is how many lines with one environment are named.
const maxLines = 5

// ways returns the ways of a rules file, those with the same settings as one.
// Without a file, or if it has none, it is that of a relay client.
func (w world) ways(env *prog.Env, o *options, home string) ([]way, error) {
	base := rules.Environ{"QMAILHOME=" + home}
	if dir, set := env.Lookup("CONTROLDIR"); set {
		base = append(base, "CONTROLDIR="+dir)
	}
	lookup := w.resolver(env).LookupTXT
	relay := way{lookup: lookup, environ: base.With(rules.Var{Name: "RELAYCLIENT"}), sure: true}
	name := o.rules
	if name == "" {
		name = w.rules
	}
	text, err := prog.ReadFile(name)
	if o.rules == "" && errors.Is(err, fs.ErrNotExist) {
		return []way{relay}, nil
	}
	if err != nil {
		return nil, prog.Fatal(111, "unable to read "+name, err)
	}
	set, err := rules.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, &prog.Error{Code: 111, Severity: "fatal", What: "unable to read " + name, Err: err,
			Hint: "the rules are needed as text, not as a cdb"}
	}
	var found []way
	at := map[string]int{} // index in found, by environment
	for _, rule := range set.Rules {
		v, ok := wayOf(base, rule)
		if !ok {
			continue
		}
		key := strings.Join(v.environ, "\x00")
		i, known := at[key]
		if !known {
			i = len(found)
			at[key] = i
			v.file, v.lookup = name, lookup
			found = append(found, v)
		}
		found[i].lines = append(found[i].lines, rule.Line)
	}
	if len(found) == 0 {
		found = append(found, relay)
	}
	return found, nil
}

// wayOf returns the way of a rule. Ok is false for one that lets nobody's mail
// be signed, with or without a password.
func wayOf(base rules.Environ, rule rules.Rule) (v way, ok bool) {
	if rule.Deny {
		return v, false
	}
	v.environ = base.With(rule.Env...)
	queue, _ := v.environ.Lookup("QMAILQUEUE")
	v.sure = path.Base(queue) == "qmail-dkim"
	if !signs(v.environ) && v.sure {
		v.environ = v.environ.With(rules.Var{Name: "AUTHINFO"}) // as qmail-smtpd sets it
	}
	return v, signs(v.environ)
}

// signs reports whether an environment is for signing, or for "do not sign".
func signs(environ rules.Environ) bool {
	c, _ := qmaildkim.ConfigFrom(environ)
	return c.Mode == qmaildkim.ModeSign || c.Mode == qmaildkim.ModeOff
}

// where says whose the way is, such as "/etc/tcp.smtp line 1".
func (v way) where() string {
	if v.file == "" {
		return "a relay client"
	}
	lines, more := v.lines, ""
	if len(lines) > maxLines {
		lines, more = lines[:maxLines], " ..."
	}
	var s []string
	for _, n := range lines {
		s = append(s, strconv.Itoa(n))
	}
	if len(s) == 1 {
		return v.file + " line " + s[0]
	}
	return v.file + " lines " + strings.Join(s, ", ") + more
}

// merge returns one way in the place of several, which are of one file.
func merge(ways []way) way {
	all := ways[0]
	all.lines = nil
	for _, v := range ways {
		all.lines = append(all.lines, v.lines...)
	}
	slices.Sort(all.lines)
	return all
}
