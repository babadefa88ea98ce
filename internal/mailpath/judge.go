package mailpath

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"ucspi-go/rules"
)

// judgeRules says which rules were perhaps meant for this client, and are not
// used for it.
func (x *explainer) judgeRules() {
	if x.text.set == nil {
		return
	}
	tried := x.Connection.Tried
	if x.Connection.Found {
		tried = tried[:len(tried)-1]
	}
	names, infos := 0, 0
	for _, r := range x.text.set.Rules {
		at := strings.Contains(r.Address, "@")
		name := strings.HasPrefix(r.Address, "=") || strings.Contains(r.Address, "@=")
		switch mended, ok := nearly(r, tried); {
		case ok:
			x.fault(x.at(r)+": the address "+strconv.QuoteToASCII(r.Address)+" never matches, and without that mistake the rule would decide about this client",
				"write the address as "+strconv.Quote(mended)+", and run tcprules")
		case name && x.host == nil && names == 0:
			names = r.Line
		case at && x.info == nil && infos == 0:
			infos = r.Line
		}
	}
	if names > 0 {
		x.note("rules for names, as in line "+strconv.Itoa(names)+", were not tried: the client's is not known", "give it with -h, unless tcpserver has -H")
	}
	if infos > 0 {
		x.note("rules for remote info, as in line "+strconv.Itoa(infos)+", were not tried", "give it with -i, unless tcpserver has -R")
	}
}

// nearly returns what the address of a rule would have to be for one of the
// keys that were tried without success: without blanks or a star, with a
// dot at its end or without one. Ok is false for other rules.
func nearly(r rules.Rule, tried []string) (address string, ok bool) {
	bare := strings.Trim(r.Address, " \t*.")
	for _, mended := range []string{strings.Trim(r.Address, " \t*"), bare + ".", bare} {
		if mended == r.Address || mended == "" || mended == "." {
			continue
		}
		set := rules.Set{Rules: []rules.Rule{{Address: mended}}}
		if slices.ContainsFunc(tried, func(key string) bool { return len(set.Sources(key)) > 0 }) {
			return mended, true
		}
	}
	return "", false
}

// judgeUser says when permissions could not be tested.
func (x *explainer) judgeUser() {
	if os.Geteuid() == 0 {
		x.note("permissions were tested for root, who may do everything", "-u names the user that runs qmail-smtpd")
	}
}
