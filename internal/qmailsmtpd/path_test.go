package qmailsmtpd

import "regexp"

// path is the argument of MAIL or RCPT as RFC 5321 section 4.1.2 defines it,
// with the letters of RFC 6531: the local part in group 1, or with its quotes
// in group 2, "@" and the domain in group 3.
var path = regexp.MustCompile(`^(?i:FROM|TO):<` +
	`(?:@` + domain + `(?:,@` + domain + `)*:)?` +
	`(?:(?:(` + atom + `(?:\.` + atom + `)*)|(` + quotedString + `))(@` + domain + `))?` +
	`>(?: .*)?$`)

var quotedPair = regexp.MustCompile(`\\(.)`)

const (
	atom         = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+"
	quotedString = `"(?:[ !#-\[\]-~\x{80}-\x{10ffff}]|\\[ -~])*"`
	domain       = `[A-Za-z0-9\x{80}-\x{10ffff}][A-Za-z0-9.\x{80}-\x{10ffff}-]*`
)
