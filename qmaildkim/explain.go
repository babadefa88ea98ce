package qmaildkim

// KeyPattern returns the path of the key that messages are signed with, "%"
// standing for the domain, where no line of control/dkimkeys says otherwise.
// It is empty unless Mode is ModeSign.
func (c Config) KeyPattern() string { return c.signing.key }

// SignedRecipients returns the entries of DKIMRCPT or control/dkimrcpts: mail
// to them is signed, with all only when every recipient is one of them. Exists
// is false when mail to everybody is signed.
func (f *Filter) SignedRecipients() (entries []string, all, exists bool, err error) {
	rule, exists, err := f.recipientRule()
	return rule.list, rule.all, exists, err
}

// reasons are the words of Report.Reason for a message that is not signed, and
// what they mean.
var reasons = map[string]string{
	NoFrom:           "there is no From field",
	SeveralFrom:      "there is more than one From field",
	BadFrom:          "the From field has no address that can be read",
	SeveralAuthors:   "the authors in the From field have different domains",
	BadDomain:        "the author's domain is no DNS name",
	faultSyntax:      "the header has a line that is no field",
	faultLimit:       "the header is too large",
	reasonBlankLines: "there are too many blank lines in a row",
	reasonOff:        "the path of the key is empty",
	reasonExempt:     "RELAYCLIENT_NODKIMVERIFY exempts relay clients",
	reasonRcpt:       "no recipient is one that mail is signed for",
	reasonNoKey:      "there is no key file",

	// DKIMPREFLIGHT
	preflightWord(PublishedMissing): "the key is not published",
	preflightWord(PublishedDiffers): "the key that is published is another",
	preflightWord(PublishedRevoked): "the key is published as revoked",
}

// ReasonText returns what the word of a Report.Reason means, empty when that
// is not why a message is unsigned.
func ReasonText(reason string) string { return reasons[reason] }

// Confine takes from this process what qmail-dkim takes from its own before it
// reads a message, if SANDBOX asks for that. Nothing gives it back. Where the
// kernel cannot do it, qmail-dkim goes on without.
func (c *Config) Confine() (asked, confined bool) {
	return c.sandbox, c.sandbox && c.enter() == nil
}
