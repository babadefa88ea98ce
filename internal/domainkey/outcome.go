package domainkey

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// An outcome is what qmail-dkim makes of a message from a domain.
type outcome struct {
	way
	report qmaildkim.Report
	err    error         // the message is refused
	life   time.Duration // until the signatures expire; 0 if one never does
}

// try has qmail-dkim's filter sign a message from postmaster at a domain.
// Control is the folder of a dkimkeys that keysFile, unless empty, stands for.
// The question is which key signs, so that the recipients agree.
func (v way) try(ctx context.Context, domain, control, keysFile string) outcome {
	const from = "postmaster"
	out := outcome{way: v}
	// Whatever recipients are configured, this is one of them.
	environ := v.environ.With(rules.Var{Name: "DKIMRCPT", Value: from}).Without("DKIMRCPTMATCH")
	c, err := qmaildkim.ConfigFrom(environ)
	if err != nil {
		out.report.Reason, out.err = "bad-options", err
		return out
	}
	if c.Control == control {
		c.KeysFile = keysFile
	}
	f := qmaildkim.Filter{Config: c, LookupTXT: v.lookup, Recipients: func() ([]string, error) { return []string{from}, nil }}
	e, err := f.Examine(ctx, strings.NewReader("From: "+from+"@"+domain+"\n\n"))
	out.report, out.err = e.Report, err
	if err == nil {
		out.life = life(e.Fields())
		e.Close()
	}
	return out
}

// tryAll returns the outcomes of ways.
func tryAll(ctx context.Context, ways []way, domain, control, keysFile string) []outcome {
	var all []outcome
	for _, v := range ways {
		all = append(all, v.try(ctx, domain, control, keysFile))
	}
	return all
}

// life returns the time from t= to x= of signature fields, the longest of
// several, 0 if one has no x=.
func life(fields string) time.Duration {
	longest := time.Duration(0)
	for field := range strings.SplitSeq(fields, "DKIM-Signature:") {
		var t, x int64
		for tag := range strings.SplitSeq(field, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(tag), "=")
			switch name {
			case "t":
				t, _ = strconv.ParseInt(value, 10, 64)
			case "x":
				x, _ = strconv.ParseInt(value, 10, 64)
			}
		}
		if t > 0 && x == 0 {
			return 0
		}
		longest = max(longest, time.Duration(x-t)*time.Second)
	}
	return longest
}

// selectors returns those of the signatures for a domain.
func (out outcome) selectors(domain string) (list []string) {
	for _, s := range out.report.Signed {
		if s.Domain == domain {
			list = append(list, s.Selector)
		}
	}
	return list
}

// by reports whether mail of a domain is signed by the key at a selector.
func (out outcome) by(domain, selector string) bool {
	return slices.Contains(out.selectors(domain), selector)
}

// allSelectors returns the selectors of all outcomes, each once.
func allSelectors(all []outcome, domain string) (list []string) {
	for _, out := range all {
		list = append(list, out.selectors(domain)...)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// how says what is done with mail: "signed with s=default", "unsigned" or
// "refused".
func (out outcome) how() string {
	var list []string
	for _, s := range out.report.Signed {
		text := "s=" + s.Selector
		if s.Domain != out.report.From {
			text = "d=" + s.Domain + " " + text
		}
		list = append(list, text)
	}
	switch {
	case out.err != nil:
		return "refused"
	case len(list) == 0:
		return "unsigned"
	}
	return "signed with " + strings.Join(list, " and ")
}

// because names what in the environment decides, or the word that
// qmail-dkim's log has for it.
func (out outcome) because() string {
	for _, name := range []string{"NODKIMKEYS", "DKIMDOMAIN"} {
		if value, set := out.environ.Lookup(name); set {
			return name + "=" + strconv.QuoteToASCII(value)
		}
	}
	for _, name := range []string{"DKIMSIGN", "DKIMKEY"} {
		if value, set := out.environ.Lookup(name); set && value == "" && out.report.Reason == "off" {
			return name + `=""`
		}
	}
	if out.report.Reason != "" {
		return "reason=" + out.report.Reason
	}
	value, _ := out.environ.Lookup("CONTROLDIR")
	return "CONTROLDIR=" + strconv.QuoteToASCII(value)
}

// warnUnsure tells of the ways that do not say that qmail-dkim runs.
func warnUnsure(env *prog.Env, ways []way) {
	ways = slices.DeleteFunc(slices.Clone(ways), func(v way) bool { return v.sure })
	if len(ways) > 0 {
		env.Warn(merge(ways).where()+": nothing is signed unless tcpserver's own environment makes QMAILQUEUE run qmail-dkim", nil)
	}
}
