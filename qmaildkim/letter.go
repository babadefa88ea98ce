package qmaildkim

import (
	"strings"

	"github.com/emersion/go-msgauth/dkim"
)

// A Letter names the outcome of verifying, of a signature or of a message, as
// in DKIMVERIFY:
//
//	A  good
//	C  one signature is good, others are not
//	D  cannot be judged, never refused
//	E  l= leaves a part of the body unsigned
//	F  good, but not for the author's domain (DKIMALIGN)
//	G  unsigned, and signaturedomains asks for a signature
//	H  the signature's tags are wrong
//	I  the signature does not fit header and key
//	J  likewise or U, and the key says t=y
//	K  expired
//	L  the key record cannot be used
//	N  the key is revoked
//	O  the key record is too long
//	P  the DNS could not be asked
//	Q  there is no key
//	R  the public key is wrong, or too short
//	S  unsigned
//	T  beyond the limits of verifying
//	U  the body does not fit the signature
//	V  an algorithm that must not be used
//	W  a version of signature or key that is not known
//	X  more From fields than are signed
//	Y  i= is outside of d=
type Letter byte

// The letters that this package gives. B and M, which qmail-dkim also knows,
// belong to steps that are not taken any more: they refuse nothing.
const (
	letterGood       Letter = 'A'
	letterPartial    Letter = 'C' // good and other signatures together
	letterNeutral    Letter = 'D' // cannot be judged
	letterExtra      Letter = 'E' // l= leaves a part of the body unsigned
	letterThirdParty Letter = 'F'
	letterFail       Letter = 'G' // unsigned, and signaturedomains asks for a signature
	letterSyntax     Letter = 'H'
	letterBad        Letter = 'I'
	letterTesting    Letter = 'J' // bad, and the key says t=y
	letterExpired    Letter = 'K'
	letterRecord     Letter = 'L' // the key record cannot be used
	letterRevoked    Letter = 'N'
	letterTooLong    Letter = 'O' // the key record is too long
	letterTemporary  Letter = 'P'
	letterNoKey      Letter = 'Q'
	letterKey        Letter = 'R' // the public key itself is wrong or weak
	letterUnsigned   Letter = 'S'
	letterNotValid   Letter = 'T' // beyond the limits of verifying
	letterBody       Letter = 'U'
	letterAlgorithm  Letter = 'V'
	letterVersion    Letter = 'W'
	letterFrom       Letter = 'X' // not every From field is signed
	letterIdentity   Letter = 'Y'
)

// An outcome is what a letter means to readers of the message and to the
// client.
type outcome struct {
	result string // RFC 8601 section 2.7.1
	status string // first word of DKIM-Status
	text   string // the rest, also the text of a refusal
	code   string // the last two digits of a refusal's enhanced status code
	old    string // name and number when a list of domains changed the letter
}

// outcomes has the words, texts and codes of qmail-dkim 1.78, except that E
// does not claim that the signature was verified, and that RFC 8601 decides
// the result.
var outcomes = map[Letter]outcome{
	letterGood:       {"pass", "good", "", "7.0", "SUCCESS:0"},
	letterPartial:    {"pass", "good", "verify result: at least one but not all signatures verified", "7.0", "PARTIAL SUCCESS:2"},
	letterNeutral:    {"neutral", "no signature", "verify result: no signatures verified but message is not suspicious", "7.0", "NEUTRAL:3"},
	letterExtra:      {"policy", "neutral", "signature result: signature does not cover all of the body", "7.0", "SUCCESS BUT EXTRA:4"},
	letterThirdParty: {"policy", "good", "signature result: 3rd-party signature", "7.0", "3PS SIGNATURE:5"},
	letterFail:       {"fail", "bad", "DKIM Signature verification failed", "7.0", "FAIL:-1"},
	letterSyntax:     {"permerror", "bad format", "signature error: DKIM-Signature could not parse or has bad tags/values", "7.5", "BAD SYNTAX:-2"},
	letterBad:        {"fail", "bad", "signature error: RSA/ED25519 verify failed", "7.5", "SIGNATURE BAD:-3"},
	letterTesting:    {"neutral", "non-participant", "signature error: RSA/ED25519 verify failed but testing", "7.5", "SIGNATURE BAD BUT TESTING:-4"},
	letterExpired:    {"permerror", "revoked", "signature error: x= is old", "7.5", "SIGNATURE EXPIRED:-5"},
	letterRecord:     {"permerror", "bad format", "signature error: selector doesn't parse or contains invalid values", "7.5", "SELECTOR INVALID:-6"},
	letterRevoked:    {"permerror", "bad format", "signature error: selector p= empty", "7.5", "SELECTOR KEY REVOKED:-8"},
	letterTooLong:    {"permerror", "bad format", "signature error: selector domain name too long to request", "7.0", "SELECTOR DOMAIN NAME TOO LONG:-9"},
	letterTemporary:  {"temperror", "no key", "signature error: temporary dns failure requesting selector", "7.0", "SELECTOR DNS TEMP FAILURE:-10"},
	letterNoKey:      {"permerror", "no key", "signature error: permanent dns failure requesting selector", "7.0", "SELECTOR DNS PERM FAILURE:-11"},
	letterKey:        {"permerror", "no key", "signature error: selector p= value invalid or wrong format", "7.5", "SELECTOR PUBLIC KEY INVALID:-12"},
	letterUnsigned:   {"none", "no signature", "no signatures", "7.5", "NO SIGNATURES:-13"},
	letterNotValid:   {"permerror", "no signature", "no valid signatures", "7.5", "NO VALID SIGNATURES:-14"},
	letterBody:       {"fail", "bad", "signature verify error: message body does not hash to bh value", "7.7", "BODY HASH MISMATCH:-15"},
	letterAlgorithm:  {"permerror", "bad format", "signature error: selector h= doesn't match signature a=", "7.7", "SELECTOR ALGORITHM MISMATCH:-16"},
	letterVersion:    {"permerror", "bad format", "signature error: incompatible v=", "7.6", "STAT INCOMPAT:-17"},
	letterFrom:       {"policy", "bad format", "signature error: not all message's From headers in signature", "7.7", "UNSIGNED FROM:-18"},
	letterIdentity:   {"policy", "bad format", "signature error: invalid identity in signature", "7.7", "BAD IDENTITY:-19"},
}

// String returns the letter.
func (l Letter) String() string { return string(rune(l)) }

// Result returns the word of RFC 8601 section 2.7.1: pass, fail, none,
// policy, neutral, temperror or permerror.
func (l Letter) Result() string { return outcomes[l].result }

// errorPrefix begins every error text of go-msgauth.
const errorPrefix = "dkim: "

// A libraryError is an error text of go-msgauth v0.7.0, the only thing that
// tells its failures apart. One that ends in ": " goes on with details.
type libraryError struct {
	text   string
	letter Letter
}

// libraryErrors is searched in order, so a longer text stands before its own
// beginning.
var libraryErrors = []libraryError{
	{"malformed signature tags: ", letterSyntax},
	{"signature missing required tag", letterSyntax},
	{"From field not signed", letterSyntax},
	{"malformed time: ", letterSyntax},
	{"malformed expiration time: ", letterSyntax},
	{"unsupported public key query method", letterSyntax},
	{"malformed algorithm name", letterSyntax},
	{"unsupported hash algorithm", letterSyntax},
	{"unsupported header canonicalization algorithm", letterSyntax},
	{"unsupported body canonicalization algorithm", letterSyntax},
	{"malformed body hash: ", letterSyntax},
	{"malformed signature: ", letterSyntax},
	{"incompatible signature version", letterVersion},
	{"domain mismatch", letterIdentity},
	{"signature has expired", letterExpired},
	{"key unavailable: ", letterTemporary},
	{"no key for signature: ", letterNoKey},
	{"no valid key found", letterNoKey},
	{"multiple TXT records found for key", letterRecord},
	{"key record error: ", letterRecord},
	{"incompatible public key version", letterRecord},
	{"key syntax error: missing public key data", letterRecord},
	{"unsupported key algorithm", letterRecord},
	{"inappropriate service", letterRecord},
	{"key revoked", letterRevoked},
	{"key syntax error: ", letterKey},
	{"invalid Ed25519 public key size: ", letterKey},
	{"key is too short: ", letterKey},
	{"inappropriate hash algorithm", letterAlgorithm},
	{"inappropriate key algorithm", letterAlgorithm},
	{"hash algorithm too weak: ", letterAlgorithm},
	{"message contains an insecure body length tag", letterExtra},
	{"body hash did not verify", letterBody},
	{"signature did not verify: ", letterBad},
}

// letterOf returns the letter for an error of go-msgauth and the reason in
// words, which hold nothing of the signature's own text. An error that the
// pinned version does not have is neutral: it must not refuse mail.
func letterOf(err error) (letter Letter, reason string) {
	if err == nil {
		return letterGood, ""
	}
	text, ours := strings.CutPrefix(err.Error(), errorPrefix)
	for _, e := range libraryErrors {
		if text == e.text || strings.HasSuffix(e.text, ": ") && strings.HasPrefix(text, e.text) {
			return e.letter, strings.TrimSuffix(e.text, ": ")
		}
	}
	if ours && dkim.IsTempFail(err) {
		return letterTemporary, "temporary failure"
	}
	return letterNeutral, "unknown verification error"
}
