package qmaildkim

import (
	"slices"
	"strings"

	"ucspi-go/internal/qmail"
)

// A policy says what is done with a verdict.
type policy struct {
	letters      string // DKIMVERIFY
	dryRun       bool   // DKIMDRYRUN: what would be refused is only told
	signed       string // SIGNATUREDOMAINS: the list itself, instead of the control file
	exempt       string // NOSIGNATUREDOMAINS, likewise
	hasSigned    bool
	hasExempt    bool
	unsignedFrom bool // UNSIGNED_FROM: more From fields than the signed one are no fault
}

// What a policy makes of a message: Report.Action.
const (
	actionAccept = "accept"
	actionReject = "reject" // for good, 554
	actionDefer  = "defer"  // for now, 451
)

// action returns what becomes of a message with a letter: an upper-case letter
// in DKIMVERIFY rejects it, a lower-case one defers it, and both reject it. D
// never refuses, since it says that nothing is known. As qmail-dkim, whose
// letters these are.
func (p policy) action(letter Letter) string {
	switch {
	case letter == letterNeutral:
		return actionAccept
	case strings.Contains(p.letters, letter.String()):
		return actionReject
	case strings.Contains(p.letters, strings.ToLower(letter.String())):
		return actionDefer
	}
	return actionAccept
}

// refuses reports whether there are messages that the policy refuses.
func (p policy) refuses() bool { return p.letters != "" && !p.dryRun }

// refusal returns the refusal of a message with a letter for which action is
// not to accept.
func refusal(letter Letter, action string) *Refusal {
	o := outcomes[letter]
	text := o.text
	if text == "" {
		text = o.status
	}
	r := &Refusal{Code: int(qmail.Permanent), Text: "Dqmail-dkim: " + text + " (#5." + o.code + ")", Reason: reasonLetter}
	if action == actionDefer {
		r.Code, r.Text = int(qmail.Temporary), "Zqmail-dkim: "+text+" (#4."+o.code+")"
	}
	return r
}

// apply changes a verdict without a good signature for the authors' domains:
// one from which signatures are demanded keeps its letter, but unsigned mail
// becomes G, and so does mail whose signature cannot be judged, as anybody can
// make one; one that is exempt becomes D. Nil says that the lists could be read.
func (p policy) apply(v *Verdict, control qmail.Control, authors []string) *Refusal {
	signed, err := domainList(control, "signaturedomains", p.signed, p.hasSigned)
	if err != nil {
		return refuseSigned.because(err)
	}
	exempt, err := domainList(control, "nosignaturedomains", p.exempt, p.hasExempt)
	if err != nil {
		return refuseExempt.because(err)
	}
	letter := v.Letter
	switch {
	case letter == letterGood || letter == letterPartial:
		return nil
	case signed.anyOf(authors):
		if letter == letterUnsigned || letter == letterNeutral {
			letter = letterFail
		}
	case exempt.allOf(authors):
		letter = letterNeutral
	}
	if letter != v.Letter {
		v.Letter, v.Old = letter, v.Letter
	}
	return nil
}

// domains is a set of domains in the form of listForm; "*" is every domain.
type domains map[string]bool

// domainList returns the list in value when set, else that of a control file,
// which may be absent.
func domainList(control qmail.Control, name, value string, set bool) (domains, error) {
	lines := []string{value}
	if !set {
		var err error
		if lines, _, err = control.Lines(name); err != nil {
			return nil, err
		}
	}
	list := make(domains)
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			list[listForm(line)] = true
		}
	}
	return list, nil
}

func (list domains) has(domain string) bool { return list["*"] || list[domain] }

// anyOf reports whether one of the authors' domains is listed: an author more
// is no way out of a demand.
func (list domains) anyOf(authors []string) bool {
	return list["*"] || slices.ContainsFunc(authors, list.has)
}

// allOf reports whether all of the authors' domains are listed.
func (list domains) allOf(authors []string) bool {
	return len(authors) > 0 && !slices.ContainsFunc(authors, func(a string) bool { return !list.has(a) })
}
