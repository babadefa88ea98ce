package ruleslint

import (
	"strings"

	"ucspi-go/rules"
)

// bad looks at a line because of which tcprules refuses the file. What could
// be read of it is looked at like that of a good one.
func (l *linter) bad(line rules.Line) {
	if line.Fault != rules.FaultAction {
		l.variables(line.Rule)
		if line.Fault != rules.FaultRange && line.Fault != rules.FaultNetwork {
			l.address(line.Rule)
		}
	}
	switch line.Fault {
	case rules.FaultAction:
		l.badAction(line)
	case rules.FaultComma:
		l.badComma(line.Rest)
	case rules.FaultEquals:
		l.badEquals(line.Rest)
	case rules.FaultValue:
		name := printable(strings.TrimSpace(strings.TrimSuffix(line.Rest[1:], "=")), 60)
		l.find(kindQuote, refused+name+"= has no value; write "+name+`=""`)
	case rules.FaultQuote:
		l.badQuote(line.Rest)
	case rules.FaultRange:
		l.badRange(line.Rest)
	case rules.FaultNetwork:
		reason, mend := explainMask(line.Rest)
		if mend == "" {
			mend = "write it as 10.0.0.0/8"
		}
		l.find(kindAddress, refused+show(line.Rest)+" is no block of addresses: "+reason+"; "+mend)
	}
}

// refused begins the text of a finding for which the whole file is refused.
const refused = "tcprules refuses the file: "

func (l *linter) badAction(line rules.Line) {
	rest := line.Rest
	if isIPv6(line.Text) {
		l.find(kindAction, refused+"what stands before the action is no IPv6 address, nor the beginning of one; write it as 2001:db8::1, 2001:db8: or 2001:db8::/32")
		return
	}
	// A comment that does not begin in the first column, with a colon in it.
	if strings.HasPrefix(strings.TrimSpace(line.Rule.Address), "#") {
		l.find(kindAction, refused+"a comment must begin in the first column; remove what is before the #")
		return
	}
	word := strings.TrimLeft(rest, " \t")
	if end := strings.IndexFunc(word, func(c rune) bool { return c|0x20 < 'a' || c|0x20 > 'z' }); end >= 0 {
		word = word[:end]
	}
	reason := show(word) + " is neither allow nor deny"
	switch meant := action(strings.ToLower(word)); {
	case word == "" && rest == "":
		l.find(kindAction, refused+"nothing follows the colon; write allow or deny there")
	case meant == "":
		l.find(kindAction, refused+reason+"; write one of them directly after the colon")
	case meant == word: // blanks before it
		l.find(kindAction, refused+"blanks stand between the colon and "+word+"; remove them")
	default:
		l.find(kindAction, refused+reason+"; write "+meant)
	}
}

// action returns which action a word in lower case is meant to be, empty if
// that cannot be told.
func action(word string) string {
	for meant, words := range map[string]string{
		"allow": "accept permit pass ok yes relay allowed",
		"deny":  "reject block drop refuse no denied",
	} {
		for _, w := range strings.Fields(words) {
			if w == word {
				return meant
			}
		}
		if word == meant || distance(word, meant) <= 1 {
			return meant
		}
	}
	return ""
}

func isIPv6(text string) bool {
	digits, _, _ := strings.Cut(text, "allow")
	digits, _, _ = strings.Cut(digits, "deny")
	return strings.Count(digits, ":") >= 2 && strings.Trim(digits, "0123456789abcdefABCDEF:./") == ""
}

func (l *linter) badComma(rest string) {
	trimmed := strings.TrimLeft(rest, " \t")
	switch {
	case trimmed[0] == '#':
		l.find(kindComma, refused+"a comment cannot follow a rule; put it on a line of its own, with # first")
	case trimmed[0] == ',':
		l.find(kindComma, refused+"blanks stand before a comma; remove them")
	case trimmed != rest:
		l.find(kindComma, refused+show(trimmed)+" follows a blank; put a comma there and no blank")
	default:
		l.find(kindComma, refused+"a comma or the end of the line must stand where "+show(rest)+" begins; add a comma, or remove it")
	}
}

func (l *linter) badEquals(rest string) {
	name := strings.TrimSpace(rest[1:])
	switch {
	case name == "":
		l.find(kindComma, refused+"the line ends in a comma; remove it")
	case name[0] == '#':
		l.find(kindComma, refused+"a comment cannot follow a rule; put it on a line of its own, with # first")
	case isVariable(name):
		l.find(kindQuote, refused+name+" has no value; write "+name+`=""`)
	default:
		l.find(kindQuote, refused+show(rest)+` is no variable; write ,NAME="value"`)
	}
}

func (l *linter) badQuote(rest string) {
	name, value, _ := strings.Cut(rest[1:], "=")
	name = printable(strings.TrimSpace(name), 60)
	if value[0] == '"' || value[0] == '\'' {
		l.find(kindQuote, refused+"the value of "+name+" has no quote at its end; write "+name+"="+value[:1]+"..."+value[:1])
		return
	}
	value, _, _ = strings.Cut(value, ",")
	if strings.Contains(value, `"`) {
		value = "..."
	}
	l.find(kindQuote, refused+"the value of "+name+" needs quotes; write "+name+"="+show(value))
}

func (l *linter) badRange(address string) {
	if strings.ContainsAny(strings.ToLower(address), "abcdefghijklmnopqrstuvwxyz") && rules.KindOf("="+strings.ToLower(address)) != rules.NoClient {
		l.find(kindRange, refused+show(address)+" is taken for a range because of its hyphen; write a name as ="+strings.ToLower(address))
		return
	}
	reason, mend := explain(address)
	if mend == "" {
		reason, mend = "the ends of a range must be numbers", "write a range as 10.0.0-3. or 10.0.0.5-9"
	}
	l.find(kindRange, refused+show(address)+" is no range: "+reason+"; "+mend)
}

// quotes looks for values that are ended by a byte that is hardly meant for a
// quote: a value without quotes that happens to hold its first byte again.
func (l *linter) quotes(line rules.Line) {
	_, rest, _ := strings.Cut(line.Text, ":")
	rest = rest[strings.IndexByte(rest+",", ','):]
	for _, v := range line.Rule.Env {
		at := len(",=") + len(v.Name)
		quote := rest[at]
		rest = rest[at+len(v.Value)+2:]
		if quote == ',' || quote == '=' || quote == ' ' || quote == '\t' || isWord(quote) {
			l.find(kindOddQuote, "tcprules takes "+show(string(rune(quote)))+" for the quotes around the value of "+v.Name+
				", which becomes "+show(v.Value)+"; write "+v.Name+"=\"value\"")
		}
	}
}
