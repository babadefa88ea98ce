package qmaildkim

import "strings"

// An alteration is a known change of a message on its way, or a known fault
// of a signer, without which a failed signature would pass. What each word
// means to an administrator is in docs/diagnosis.md.
type alteration struct {
	word string // in the log
	how  string // as it follows "passes "
	why  string // what was done
}

// The faults that need no details.
var (
	faultEd25519 = alteration{"raw-ed25519", "with Ed25519 over the header instead of its SHA-256", "it was signed as libdkim did before 2026"}
	faultBareCR  = alteration{"bare-cr", "with CR as RFC 6376 has it", "this verifier takes a bare CR for white space"}
)

// hint returns what alterations, all of which have to be undone, are called in
// words for people and in the log. Both are empty for none.
func hint(alterations []alteration) (text, words string) {
	if len(alterations) == 0 {
		return "", ""
	}
	var how, why, word []string
	for _, a := range alterations {
		how = appendNew(how, a.how)
		why = appendNew(why, a.why)
		word = appendNew(word, a.word)
	}
	return "passes " + strings.Join(how, " and ") + ": " + strings.Join(why, ", "), strings.Join(word, "+")
}

// maxQuoted bounds the text of a message that a hint quotes, in bytes.
const maxQuoted = 60

// quote returns text of a message as a hint may hold it.
func quote(text []byte) string {
	end := ""
	if len(text) > maxQuoted {
		text, end = text[:maxQuoted], "..."
	}
	return `"` + strings.ReplaceAll(cleanText(string(text)), `"`, "'") + end + `"`
}
