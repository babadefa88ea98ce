package dns

import (
	"bytes"
	"os"
	"strings"

	"ucspi-go/internal/prog"
)

// readRules returns the rules by which a host operand becomes a full name:
// the lines of $DNSREWRITEFILE, else those that $LOCALDOMAIN, the first
// search or domain line of resolv.conf, or the name of this host stand for.
// As ucspi-tcp 0.88 dns_rcrw.c.
func (r *Resolver) readRules() ([]string, error) {
	name, set := r.lookup("DNSREWRITEFILE")
	if !set {
		name = r.rewriteFile
	}
	text, err := prog.ReadFile(name)
	if err == nil {
		return rewriteRules(text), nil
	}
	if !os.IsNotExist(err) {
		return nil, err
	}
	if domains, set := r.lookup("LOCALDOMAIN"); set {
		return searchRules(strings.Split(domains, " ")), nil
	}
	conf, err := readFile(r.resolvConf)
	if err != nil {
		return nil, err
	}
	if domains, found := searchLine(conf); found {
		return searchRules(domains), nil
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	if i := strings.IndexByte(host, '.'); i >= 0 {
		return []string{"?:" + host[i:], "*.:"}, nil
	}
	return []string{"*.:"}, nil
}

func rewriteRules(text []byte) []string {
	var rules []string
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		rules = append(rules, string(bytes.TrimRight(line, " \t\r")))
	}
	return rules
}

// searchRules tries the domains in turn for a name without a dot. A final dot
// goes, which is how a name escapes the search.
func searchRules(domains []string) []string {
	rule := "?:"
	for _, domain := range domains {
		rule += "+." + domain
	}
	return []string{rule, "*.:"}
}

// searchLine returns the domains of the first search or domain line.
func searchLine(conf []byte) (domains []string, found bool) {
	for line := range strings.Lines(string(conf)) {
		for _, word := range []string{"search", "domain"} {
			rest, ok := strings.CutPrefix(line, word)
			if ok && rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
				return strings.FieldsFunc(rest, func(c rune) bool { return c == ' ' || c == '\t' || c == '\n' }), true
			}
		}
	}
	return nil, false
}

// qualify returns the names that host stands for under the rules, to be tried
// in turn: what is before the first "+" of the result with each of the parts
// that follow a "+". As ucspi-tcp 0.88 dns_ipq.c.
func qualify(host string, rules []string) []string {
	for _, rule := range rules {
		host = rewrite(host, rule)
	}
	base, rest, plus := strings.Cut(host, "+")
	if !plus {
		return []string{host}
	}
	var names []string
	for part := range strings.SplitSeq(rest, "+") {
		names = append(names, base+part)
	}
	return names
}

// rewrite applies one rule: "=old:new" to the whole name, "*old:new" to an
// end, "?old:new" to an end after a part without dots and brackets,
// "-old:new" to an end, dropping what is before it. Other lines are comments.
func rewrite(host, rule string) string {
	if rule == "" {
		return host
	}
	end, to, ok := strings.Cut(rule[1:], ":")
	if !ok || len(end) > len(host) {
		return host
	}
	before := host[:len(host)-len(end)]
	if !sameName([]byte(host[len(before):]), []byte(end)) {
		return host
	}
	switch rule[0] {
	case '=':
		if before != "" {
			return host
		}
	case '*':
	case '?':
		if strings.ContainsAny(before, ".[]") {
			return host
		}
	case '-':
		before = ""
	default:
		return host
	}
	return before + to
}
