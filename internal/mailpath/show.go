package mailpath

import (
	"strconv"
	"strings"

	"ucspi-go/qmaildkim"
)

// show returns an explanation laid out for people: a section for each station,
// then what to mend, then the result.
func show(e *Explanation) string {
	p := &page{}
	p.connection(&e.Connection)
	if e.Queue != nil {
		p.queue(e.Queue, e.User)
	}
	p.message(e)
	p.findings("To mend", e.Faults)
	p.findings("Notes", e.Notes)
	p.section("Result")
	if e.Reply != "" {
		p.row("reply", e.Reply)
	}
	p.row("result", result(e))
	return p.b.String()
}

// result returns the last line: what becomes of it all.
func result(e *Explanation) string {
	s := e.Result
	if e.Result == resultAccepted {
		switch {
		case e.Signing != nil && len(e.Signing.Signatures) > 0:
			s += " and signed"
		case e.Signing != nil:
			s += ", not signed"
		case e.Verifying != nil:
			s += ", verified as " + e.Verifying.Letter + " " + e.Verifying.Word
		}
	}
	if e.Exit == exitFault {
		s += "; there is something to mend"
	}
	return s
}

// A page is lines of a label and a text, in sections.
type page struct{ b strings.Builder }

func (p *page) section(title string) {
	if p.b.Len() > 0 {
		p.b.WriteByte('\n')
	}
	p.b.WriteString(title + "\n")
}

// row writes a line; one without label continues that above.
func (p *page) row(label, text string) {
	const width = 10
	p.b.WriteString(strings.TrimRight("  "+label+strings.Repeat(" ", max(1, width-len(label)))+text, " ") + "\n")
}

// rows writes a line for each text, the first with the label.
func (p *page) rows(label string, texts []string) {
	for _, text := range texts {
		p.row(label, text)
		label = ""
	}
}

func (p *page) connection(c *Connection) {
	p.section("Connection")
	client := c.IP
	if c.Host != nil {
		client += ", name " + *c.Host
	}
	if c.Info != nil {
		client += ", remote info " + *c.Info
	}
	p.row("client", client)
	var tried []string
	for _, key := range c.Tried {
		tried = append(tried, quoted(key))
	}
	p.row("tried", strings.Join(tried, " "))
	at := "in " + c.Rules
	if c.Line > 0 {
		at = "at " + c.Text + ":" + strconv.Itoa(c.Line)
	}
	if c.Found {
		p.row("rule", quoted(c.Key)+" "+at+": "+c.Decision)
	} else {
		p.row("rule", "none "+at+": "+c.Decision)
	}
	p.rows("sets", c.Sets)
	p.rows("inherits", c.Inherited)
	if c.Decision == decisionAllow {
		relay := "no"
		if c.Relay {
			relay = "yes, RELAYCLIENT is set"
		}
		p.row("relay", relay)
	}
}

// quoted returns a key, which may be empty or hold blanks.
func quoted(key string) string {
	if key == "" || strings.Contains(key, " ") {
		return `"` + key + `"`
	}
	return key
}

func (p *page) queue(q *Queue, user string) {
	p.section("Queue program")
	p.row("program", runs(q.Program, user))
	if !q.DKIM {
		p.row("dkim", "not qmail-dkim: nothing signs or verifies")
		return
	}
	p.row("behind", runs(*q.Next, user))
	p.row("mode", q.Mode+": "+decided(q.Decided))
	if q.Key != "" {
		p.row("key", q.Key)
	}
	if q.Letters != "" {
		p.row("refuses", "letters "+q.Letters+" (upper case for good, lower case for now)")
	}
}

// runs says whether a program runs.
func runs(p Program, user string) string {
	if p.Error != "" {
		return p.File + ", not executable by " + user + ": " + p.Error
	}
	return p.File + ", executable by " + user
}

// decided returns the variables that decided, as they were asked for.
func decided(settings []Setting) string {
	var all []string
	for _, s := range settings {
		switch {
		case !s.Set:
			all = append(all, s.Name+" unset")
		case s.Value == "":
			all = append(all, s.Name+" set (empty)")
		default:
			all = append(all, s.Name+" set")
		}
	}
	return strings.Join(all, ", ")
}

func (p *page) message(e *Explanation) {
	if len(e.Recipients) > 0 {
		p.section("Recipients")
		for _, r := range e.Recipients {
			p.row(r.Address, r.Reply)
		}
	}
	if s := e.Signing; s != nil {
		p.signing(s, e.From)
	}
	if v := e.Verifying; v != nil {
		p.verifying(v, e.From)
	}
}

func (p *page) signing(s *Signing, from string) {
	p.section("Signature")
	if s.Reason != "bad-options" { // for which no message is read
		p.row("from", author(from))
	}
	if s.Domain != "" && s.Domain != from {
		p.row("domain", s.Domain+" (DKIMDOMAIN)")
	}
	if s.KeysLine != "" {
		p.row("dkimkeys", s.KeysLine)
	}
	if len(s.Recipients) > 0 {
		match := "no recipient is listed"
		if s.Match != "" {
			match = s.Match + " is listed"
		} else if s.Reason != "rcpt" {
			match = "all recipients are listed"
		}
		p.row("rcpts", match+" ("+strings.Join(s.Recipients, " ")+")")
	}
	for _, k := range s.Keys {
		if k.Error != "" {
			p.row("tried", k.Path+": "+k.Error)
		}
	}
	for _, one := range s.Signatures {
		p.row("signs", "d="+one.Domain+" s="+one.Selector+" a="+one.Algorithm)
		p.row("key", one.Key+", "+strconv.Itoa(one.Bits)+" bits")
		p.row("record", one.Name+" TXT: "+one.State+because(one.Reason))
		if one.Record != "" && one.State != qmaildkim.PublishedMatch {
			p.row("", short(one.Record))
		}
	}
	if len(s.Signatures) == 0 && s.Reason != "" {
		if text := qmaildkim.ReasonText(s.Reason); text != "" {
			p.row("unsigned", text)
		} else {
			p.row("refused", "reason="+s.Reason+" in the log")
		}
	}
}

func author(from string) string {
	if from == "" {
		return "no domain that can be read"
	}
	return from
}

func (p *page) verifying(v *Verifying, from string) {
	p.section("Signatures")
	p.row("from", author(from))
	for i, s := range v.Signatures {
		p.row("number "+strconv.Itoa(i+1), s.Letter+" "+s.Word+": d="+s.Domain+" s="+s.Selector+" a="+s.Algorithm+because(s.Reason))
		if s.Hint != "" {
			p.row("", "hint: "+s.Hint)
		}
		if s.Word != "pass" {
			p.row("", s.Name+" TXT: "+short(s.Record)+s.Error)
		}
	}
	if len(v.Signatures) == 0 {
		p.row("number", "none")
	}
	verdict := v.Letter + " " + v.Word + because(v.Reason)
	if v.Old != "" {
		verdict += ", by a list of domains instead of " + v.Old
	}
	action := v.Action
	if v.DryRun && action != "accept" {
		action = "accept, and without DKIMDRYRUN " + action
	}
	p.row("verdict", verdict+": "+action)
}

// short returns the beginning of a record, which tells keys of one size apart.
func short(record string) string {
	const most = 96
	if len(record) > most {
		return record[:most] + "..."
	}
	return record
}

// findings writes a numbered list, each with what to do behind an arrow.
func (p *page) findings(title string, all []Finding) {
	if len(all) == 0 {
		return
	}
	p.section(title)
	for i, f := range all {
		p.wrapped("  "+strconv.Itoa(i+1)+". ", f.Text)
		if f.Mend != "" {
			p.wrapped("     -> ", f.Mend)
		}
	}
}

// wrapped writes a text behind a head, in lines that a terminal can show. A
// word that does not fit gets a line of its own.
func (p *page) wrapped(head, text string) {
	const width = 96
	indent := strings.Repeat(" ", len(head))
	line := head
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line += word
		case len(line)+1+len(word) > width:
			p.b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	p.b.WriteString(line + "\n")
}
