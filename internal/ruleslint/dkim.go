package ruleslint

import (
	"slices"
	"strings"

	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
	"ucspi-go/rules"
)

// dkim looks at what a rule asks of qmail-dkim, by that program's own reading
// of it.
func (l *linter) dkim(rule rules.Rule) {
	env := environ(rule)
	if verify, set := env.Lookup("DKIMVERIFY"); set {
		l.letters(verify)
	}
	l.options(env)
	l.modes(env)
	for _, name := range []string{"DKIMSIGN", "DKIMKEY", "DKIMSIGNEXTRA"} {
		if path, _ := env.Lookup(name); path != "" {
			l.key(name, path, env)
		}
	}
	if domain, _ := env.Lookup("DKIMDOMAIN"); domain != "" {
		domain = domain[strings.LastIndexByte(domain, '@')+1:]
		if _, ok := keys.Domain(domain); !ok {
			l.find(kindSelector, "DKIMDOMAIN: "+show(domain)+" is no domain, and every message is refused for now; write one as example.com")
		}
	}
}

func (l *linter) letters(verify string) {
	if unknown := qmaildkim.UnknownLetters(verify); unknown != "" {
		l.find(kindLetters, "DKIMVERIFY: "+show(unknown)+" stands for no result and refuses nothing; the letters are A to Y, upper case to reject, lower case to defer")
	}
	for _, good := range "AC" {
		if strings.ContainsRune(strings.ToUpper(verify), good) {
			l.find(kindLetters, "DKIMVERIFY: "+string(good)+" refuses mail whose signature is good; remove the letter")
		}
	}
	for _, c := range verify {
		if 'a' <= c && c <= 'z' && strings.ContainsRune(verify, c-'a'+'A') {
			l.find(kindIgnored, "DKIMVERIFY: "+string(c)+" has no effect beside "+strings.ToUpper(string(c))+", which rejects; remove one of them")
		}
	}
}

func (l *linter) options(env rules.Environ) {
	ignored, bad := qmaildkim.CheckSigning(env)
	const refuses = " cannot be used, and qmail-dkim refuses every message for now; write "
	if expire, ok := strings.CutPrefix(bad, "DKIMEXPIRE "); ok {
		l.find(kindOptions, "DKIMEXPIRE: "+show(expire)+refuses+"a number of seconds, such as 604800")
	} else if bad != "" {
		l.find(kindOptions, "DKIMSIGNOPTIONS: "+show(strings.TrimSpace(bad))+refuses+"options as in -c r -x 604800 -z 2")
	}
	if slices.Contains(ignored, "-z") {
		l.find(kindSHA1, "DKIMSIGNOPTIONS asks for SHA-1, which verifiers must not accept any more (RFC 8301); SHA-256 is used: write -z 2")
	}
	for _, word := range ignored {
		if !strings.HasPrefix(word, "-") {
			l.find(kindIgnored, "DKIMSIGNOPTIONS: "+show(word)+" is no option, and what follows it is ignored; remove it, or put the letter of an option before it")
			break
		}
	}
}

// modes looks for variables that have no effect because of others.
func (l *linter) modes(env rules.Environ) {
	set := func(name string) bool {
		_, set := env.Lookup(name)
		return set
	}
	sign, key, verify := set("DKIMSIGN"), set("DKIMKEY"), set("DKIMVERIFY")
	switch {
	case sign && verify:
		l.find(kindIgnored, "mail is signed and never verified where DKIMSIGN and DKIMVERIFY are both set; remove one of them")
	case key && sign:
		l.find(kindIgnored, "DKIMKEY has no effect beside DKIMSIGN; remove one of them")
	case key && verify:
		l.find(kindIgnored, "mail is verified and never signed where DKIMKEY and DKIMVERIFY are both set; remove one of them, or write DKIMSIGN for DKIMKEY")
	case key && !set("RELAYCLIENT") && !set("AUTHINFO"):
		l.find(kindIgnored, `DKIMKEY signs for relay clients alone, and the rule makes none; add RELAYCLIENT="" if these clients may relay, or write DKIMSIGN for DKIMKEY`)
	}
}
