package ruleslint

import (
	"bytes"
	"strings"

	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// A linter looks through one file.
type linter struct {
	server *tcpserver.Config // options of -o, nil when not given

	home    string // where programs and keys are looked for
	control string // folder of the control files

	findings  []finding
	line      int  // that is looked at
	unchecked bool // there is no home in which to look for programs and keys
	earlier   earlier
	asked     map[string]bool // programs and key paths, each told of once
}

// lint returns the findings in the order of the lines.
func (l *linter) lint(text []byte) []finding {
	l.asked = make(map[string]bool)
	text = l.lineEnds(l.byteOrderMark(text))
	for line, err := range rules.Lines(bytes.NewReader(text)) {
		if err != nil {
			break // a text in memory has none
		}
		l.line = line.Rule.Line
		switch line.Kind {
		case rules.LineSkipped:
			l.skipped(line)
		case rules.LineBad:
			if !l.foreignBytes(line) {
				l.bad(line)
			}
		case rules.LineRule:
			if !l.foreignBytes(line) {
				l.rule(line)
			}
		}
	}
	return l.findings
}

// rule looks at a line that tcprules compiles.
func (l *linter) rule(line rules.Line) {
	rule := line.Rule
	l.address(rule)
	l.quotes(line)
	if rule.Deny {
		if len(rule.Env) > 0 {
			l.find(kindDeny, "a denied client gets no program, so that "+rule.Env[0].Name+" has no effect; write deny alone, or allow")
		}
	} else {
		l.variables(rule)
		l.relay(rule)
		l.dkim(rule)
		l.programs(rule)
	}
	l.duplicates(rule)
}

// find notes a finding in the line that is looked at. Text is the reason, a
// semicolon, and the mend.
func (l *linter) find(k kind, text string) {
	const most = 600 // names and paths of the file may be of any length
	l.findings = append(l.findings, finding{l.line, k, printable(text, most)})
}

// once reports whether it is the first call for that subject.
func (l *linter) once(subject string) bool {
	if l.asked[subject] {
		return false
	}
	l.asked[subject] = true
	return true
}

// skipped looks at a line without a colon. Blanks, and a comment that does not
// begin in the first column, are skipped as they should be.
func (l *linter) skipped(line rules.Line) {
	text := strings.TrimSpace(line.Text)
	if text == "" || text[0] == '#' {
		return
	}
	mend := "write ADDRESS:allow or ADDRESS:deny, or # before a comment"
	if address, action, ok := strings.Cut(text, " "); ok {
		if action = strings.TrimSpace(action); strings.HasPrefix(action, "allow") || strings.HasPrefix(action, "deny") {
			mend = "write " + printable(address+":"+action, 60)
		}
	}
	l.find(kindNoColon, show(text)+" has no colon, so that tcprules skips it; "+mend)
}
