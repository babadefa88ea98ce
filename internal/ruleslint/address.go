package ruleslint

import (
	"strings"

	"ucspi-go/rules"
)

// address looks for an address under which no client is searched, or not one
// of tcpserver with the options of -o.
func (l *linter) address(rule rules.Rule) {
	kind := kindOf(rule)
	if kind == rules.NoClient {
		reason, mend := explain(rule.Address)
		if mend == "" {
			mend = "write it as 192.0.2.1, 192.0.2., 10.0-3., 10.0.0.0/8 or =host.example.com"
		}
		l.find(kindAddress, show(rule.Address)+" matches nobody: "+reason+"; "+mend)
		return
	}
	if octets, network := strings.CutSuffix(rule.Address, ".0"); network && kind == rules.Address && rule.Address != "0.0.0.0" {
		for strings.HasSuffix(octets, ".0") {
			octets = strings.TrimSuffix(octets, ".0")
		}
		l.find(kindNetwork, show(rule.Address)+" is that one address and no network; if a network is meant, write "+show(octets+"."))
	}
	if kind == rules.Name && rules.KindOf(rule.Address[1:]) == rules.Address {
		l.find(kindAddress, show(rule.Address)+" is for a client whose name in the DNS is so, not for the address; write "+show(rule.Address[1:]))
	}
	if l.server == nil {
		return
	}
	if !l.server.RemoteHost && (kind == rules.Name || kind == rules.NameSuffix || kind == rules.InfoAtName) {
		l.find(kindNames, show(rule.Address)+" needs the client's name, which tcpserver -H does not look up; remove the -H, or write the address")
	}
	if !l.server.RemoteInfo && (kind == rules.InfoAtAddress || kind == rules.InfoAtName) {
		l.find(kindIdent, show(rule.Address)+" needs the client's remote info, which tcpserver -R does not ask for; remove the -R, or write the rule without what is before the @")
	}
}

// kindOf returns the kind of a rule's keys, which is that of the first one.
func kindOf(rule rules.Rule) rules.Kind {
	for key := range rule.Keys() {
		return rules.KindOf(key)
	}
	return rules.NoClient
}

// works reports whether clients have that address, and if so what to write.
func works(address string) (mend string, ok bool) {
	return "write " + show(address), kindOf(rules.Rule{Address: address}) != rules.NoClient
}

// explain returns why an address matches nobody. Mend is empty when it cannot
// be told what is meant.
func explain(address string) (reason, mend string) {
	packed := strings.Join(strings.Fields(address), "")
	switch {
	case strings.HasPrefix(packed, "#"):
		return "a comment must begin in the first column", "remove the blank before the #"
	case packed != address:
		if packed == "" {
			return "the address of everybody is empty", "remove the blank before the colon"
		}
		reason = "blanks are part of an address"
		if mend, ok := works(packed); ok {
			return reason, mend
		}
		_, mend = explain(packed)
		return reason, mend
	case everybody[strings.ToLower(address)]:
		return "the address of everybody is empty", "write the colon alone"
	case strings.Contains(address, "@"):
		return explainInfo(address)
	case strings.HasPrefix(address, "="):
		return explainName(address[1:])
	case strings.Contains(address, "/"):
		return explainMask(address)
	case strings.Contains(address, "*"):
		reason = "* stands for nothing here"
		if mend, ok := works(strings.TrimRight(address, ".*") + "."); ok {
			return reason, mend
		}
		_, mend = explainName(address)
		return reason, mend
	case strings.Trim(address, "0123456789.-") == "":
		return explainNumbers(address)
	}
	name := strings.TrimSuffix(strings.ToLower(address), ".")
	if mend, ok := works("=" + name); ok {
		return "a name needs = before it", mend
	}
	return "it is neither an address nor a name", ""
}

// everybody are words for the empty address.
var everybody = map[string]bool{"*": true, "all": true, "any": true, "default": true, "everybody": true}

func explainInfo(address string) (reason, mend string) {
	at := strings.LastIndexByte(address, '@')
	info, where := address[:at+1], address[at+1:]
	switch kindOf(rules.Rule{Address: where}) {
	case rules.AddressPrefix, rules.NameSuffix, rules.AddressBlock, rules.Everybody:
		return "remote info is searched with a whole address or name alone", "write a rule for each of them"
	}
	reason, mend = explain(where)
	if name := "=" + strings.ToLower(where); rules.KindOf(name) == rules.Name && rules.KindOf(where) == rules.NoClient && strings.Trim(where, "0123456789.-") != "" {
		return "before the @ stands remote info (ident), not a mailbox, and a host needs = before it", "write " + show(info+name) + ", or put a mail address into control/badmailfrom"
	}
	if fixed, ok := strings.CutPrefix(mend, `write "`); ok {
		mend = `write "` + info + fixed
	}
	return reason, mend
}

func explainName(name string) (reason, mend string) {
	// What stands behind = may be all that is wrong with an address.
	if kind := rules.KindOf(name); kind == rules.AddressPrefix {
		return "= is for names", "write " + show(name)
	}
	fixed := strings.TrimPrefix(name, "=")
	switch lower := strings.ToLower(fixed); {
	case strings.HasPrefix(fixed, "*"):
		reason, fixed = "* stands for nothing here, a name that begins with a dot stands for all that end so", strings.TrimPrefix(lower, "*")
	case lower != fixed:
		reason, fixed = "tcpserver knows names in lower case", lower
	case strings.HasSuffix(fixed, "."):
		reason = "names have no dot at their end"
	default:
		reason = "it is not a name as the DNS has it"
	}
	if mend, ok := works("=" + strings.TrimSuffix(fixed, ".")); ok {
		return reason, mend
	}
	return reason, ""
}

// explainNumbers looks at digits, dots and hyphens.
func explainNumbers(address string) (reason, mend string) {
	if strings.Contains(address, "-") {
		return explainRange(address)
	}
	parts := strings.Split(strings.TrimSuffix(address, "."), ".")
	reason = "it is not an IPv4 address or the beginning of one"
	for i, part := range parts {
		stripped := strings.TrimLeft(part, "0")
		switch {
		case part == "":
			return "a number is missing in it", ""
		case len(stripped) > 3 || len(stripped) == 3 && stripped > "255":
			return "numbers go up to 255", ""
		case stripped == "":
			stripped = "0"
		}
		if stripped != part {
			reason = "its numbers must not begin with 0"
		}
		parts[i] = stripped
	}
	fixed := strings.Join(parts, ".")
	switch {
	case len(parts) > 4:
		return "an address has four numbers", ""
	case len(parts) < 4:
		if !strings.HasSuffix(address, ".") {
			reason = "a network must end in a dot"
		}
		fixed += "."
	case strings.HasSuffix(address, "."):
		reason = "a whole address has no dot at its end"
	}
	mend, _ = works(fixed)
	return reason, mend
}

// explainRange looks at an address with a hyphen. The number before it begins
// behind a dot, and the number behind it ends before one.
func explainRange(address string) (reason, mend string) {
	before, after, _ := strings.Cut(address, "-")
	if first, last := before[:strings.LastIndexByte(before, '.')+1], after[:strings.LastIndexByte(after, '.')+1]; first != "" && first == last {
		if mend, ok := works(before + "-" + after[len(last):]); ok {
			return "a range is of one number", mend
		}
	}
	reason = "a range is of one number, as in 10.0-3. or 10.0.0.5-9"
	left := before[strings.LastIndexByte(before, '.')+1:]
	right, rest, dotted := strings.Cut(after, ".")
	if dotted {
		rest = "." + rest
	}
	if kindOf(rules.Rule{Address: address}) == rules.NoClient {
		for range (rules.Rule{Address: address}).Keys() {
			// There are keys, so that their form is what is wrong.
			if mend, ok := works(address + "."); ok {
				return "a network must end in a dot", mend
			}
			return reason, ""
		}
	}
	start := before[:len(before)-len(left)]
	if right == "" {
		reason, right = "the range has no end", "255"
	} else {
		reason = "the range is empty"
		left, right = right, left
	}
	if mend, ok := works(start + left + "-" + right + rest); ok {
		return reason, mend
	}
	return reason, ""
}
