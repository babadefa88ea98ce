package dkimtools

import (
	"strconv"
	"strings"

	"ucspi-go/qmaildkim"
)

// word returns the result of a signature in the vocabulary of the report,
// which has no "none".
func word(l qmaildkim.Letter) string {
	if result := l.Result(); result != "none" {
		return result
	}
	return "neutral"
}

// details writes what is known of a signature.
func (r *report) details(b *strings.Builder, s qmaildkim.Signature) {
	heading(b, '-', "DKIM check details:")
	b.WriteString("Result:         " + word(s.Letter) + " (" + r.explain(s) + ")\n")
	b.WriteString("ID(s) verified: ")
	if s.Letter.Result() == "pass" {
		b.WriteString("header.d=" + clean(s.Domain))
	}
	b.WriteByte('\n')
	if s.Domain == "" {
		b.WriteByte('\n')
		return
	}
	b.WriteString("Signature:      d=" + clean(s.Domain) + " s=" + clean(s.Selector) + " a=" + clean(s.Algorithm) + ", letter " + s.Letter.String() + "\n")
	if s.Hint != "" {
		b.WriteString("Hint:           " + cleanTo(s.Hint, maxRecord) + "\n")
	}
	r.published(b, s)
	b.WriteByte('\n')
}

// published writes what the DNS has for a signature.
func (r *report) published(b *strings.Builder, s qmaildkim.Signature) {
	name := clean(s.KeyName())
	if texts, err, asked := r.keys.Of(s.KeyName()); asked && err == nil {
		if len(texts) == 1 {
			if bits := qmaildkim.KeyBits(texts[0], s.Algorithm); bits > 0 {
				b.WriteString("Public key:     " + name + " (" + strconv.Itoa(bits) + " bits)\n")
			}
		}
		b.WriteString("DNS record(s):\n")
		if len(texts) == 0 {
			b.WriteString("    " + name + ". TXT (no records)\n")
		}
		for _, text := range texts {
			b.WriteString("    " + name + ". TXT \"" + cleanTo(text, maxRecord) + "\"\n")
		}
	}
}

// explain returns what stands in parentheses behind the result.
func (r *report) explain(s qmaildkim.Signature) string {
	switch {
	case s.Letter.Result() == "none":
		return "message not signed"
	case s.Letter.Result() != "pass":
		if s.Letter.String() == "Q" {
			return "key \"" + clean(s.KeyName()) + "\" doesn't exist"
		}
		return clean(s.Reason)
	case s.SpeaksFor(r.Report.From):
		return "matches From: " + clean(r.Author())
	case r.Author() == "":
		return "there is no author to match"
	}
	return "does not match From: " + clean(r.Author())
}

// helo, source and mailFrom return what is known of the message's way, from
// the environment of a queue program or .qmail command, else from the fields
// that the server has put on top.
func (r *report) helo() string {
	_, rest, _ := strings.Cut(r.Header("Received"), "(HELO ")
	if name, _, ok := strings.Cut(rest, ")"); ok {
		return name
	}
	rest, _ = strings.CutPrefix(r.Header("Received"), "from ")
	name, _, _ := strings.Cut(rest, " ")
	return name
}

func (r *report) source() string {
	if r.ip != "" {
		return r.ip
	}
	// from HOST (HELO NAME) (INFO@IP)
	received, _, _ := strings.Cut(r.Header("Received"), ")  by ")
	ip := received[strings.LastIndexAny(received, "(@")+1:]
	if strings.Trim(ip, "0123456789abcdefABCDEF.:") != "" {
		return ""
	}
	return ip
}

func (r *report) mailFrom() string {
	if r.sender != "" {
		return r.sender
	}
	return strings.Trim(r.Header("Return-Path"), "<> ")
}
