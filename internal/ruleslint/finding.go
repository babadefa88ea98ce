package ruleslint

import (
	"strings"

	"ucspi-go/internal/ucspi"
)

// A finding is a mistake, or what looks like one, in a line.
type finding struct {
	line int // 1-based
	kind kind
	text string // the reason, a semicolon, and the mend
}

// A kind names what is found. Docs/lint.md has an example of each.
type kind string

// The kinds of findings: first the lines that do not say what they seem to,
// or that break mail, then what is probably not meant.
const (
	kindAction    kind = "action"     // neither allow nor deny
	kindAddress   kind = "address"    // matches nobody
	kindBytes     kind = "bytes"      // beyond ASCII in an address or a name
	kindComma     kind = "comma"      // what follows the action or a value
	kindCRLF      kind = "crlf"       // line ends
	kindIdent     kind = "ident"      // needs what -R turns off
	kindKey       kind = "key"        // that does not exist, without which mail is refused
	kindLetters   kind = "letters"    // of DKIMVERIFY
	kindLoop      kind = "loop"       // qmail-dkim starts itself
	kindNames     kind = "names"      // needs what -H turns off
	kindNoColon   kind = "no-colon"   // line that is skipped
	kindOpenRelay kind = "open-relay" // RELAYCLIENT for everybody
	kindOptions   kind = "options"    // DKIMSIGNOPTIONS that refuse all mail
	kindProgram   kind = "program"    // that does not exist
	kindQuote     kind = "quote"      // value without quotes
	kindRange     kind = "range"      // ends that are not numbers
	kindSelector  kind = "selector"   // DNS names in the configuration
	kindShadowed  kind = "shadowed"   // an earlier rule decides
	kindVariable  kind = "variable"   // name that nobody reads

	kindDeny     kind = "deny"      // variables of a denial
	kindFallback kind = "fallback"  // a key for every domain
	kindForged   kind = "forged"    // relaying by name
	kindIgnored  kind = "ignored"   // DKIM variables without effect
	kindNear     kind = "near"      // name near a known one
	kindNetwork  kind = "network"   // address of a whole network
	kindNoKey    kind = "no-key"    // nothing to sign with
	kindOddQuote kind = "odd-quote" // value between two letters or digits
	kindOverlap  kind = "overlap"   // an earlier rule decides about a part
	kindRepeated kind = "repeated"  // an earlier rule says the same
	kindSHA1     kind = "sha1"      // signatures that are not made
	kindTwice    kind = "twice"     // variable set twice
	kindValue    kind = "value"     // beyond ASCII in a value
	kindWide     kind = "wide"      // RELAYCLIENT for a large part of the Internet
)

var warnings = map[kind]bool{
	kindDeny: true, kindFallback: true, kindForged: true, kindIgnored: true, kindNear: true, kindNetwork: true,
	kindNoKey: true, kindOddQuote: true, kindOverlap: true, kindRepeated: true, kindSHA1: true, kindTwice: true,
	kindValue: true, kindWide: true,
}

// severity returns "error" for a line that does not do what it says, or that
// opens the relay or breaks mail, and "warning" for what may be meant.
func (f finding) severity() string {
	if warnings[f.kind] {
		return "warning"
	}
	return "error"
}

// show returns text of the file in quotes, fit for a line of output.
func show(text string) string {
	quote := `"`
	if strings.Contains(text, quote) {
		quote = "'"
	}
	return quote + printable(text, 60) + quote
}

// printable returns text as it may stand in a line, cut when it is longer than
// most bytes.
func printable(text string, most int) string {
	if len(text) > most {
		return ucspi.Escape(text[:most]) + "..."
	}
	return ucspi.Escape(text)
}
