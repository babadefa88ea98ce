package qmaildkim

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// A Refusal is the error of a message that must not go on.
type Refusal struct {
	Code   int    // exit code of a queue program; with Text, of one whose text nobody can read
	Text   string // what the client is told: D permanent or Z temporary, then the text; empty for the code alone
	Reason string // word for the log
	Path   string // the file that is to blame, empty for none
	Cause  error  // what is wrong, for the log; nil for what Reason says
}

func (r *Refusal) Error() string { return "qmaildkim: refused: " + r.Reason }

// Refusals by name of their reason. The texts are those of qmail-dkim.
var (
	refuseOptions  = temporary("bad-options", "Invalid DKIMSIGNOPTIONS (#4.3.0)")
	refuseDomain   = temporary("bad-dkimdomain", "dkim initialization failed (#4.3.0)")
	refuseSigner   = temporary("signing-failed", "dkim initialization failed (#4.3.0)")
	refuseKeysFile = temporary("bad-dkimkeys", "unable to read dkimkeys. (#4.3.0)")
	refuseRcpts    = temporary("bad-dkimrcpts", "unable to read dkimrcpts. (#4.3.0)")
	refuseSigned   = temporary("bad-signaturedomains", "unable to read signaturedomains. (#4.3.0)")
	refuseExempt   = temporary("bad-nosignaturedomains", "unable to read nosignaturedomains. (#4.3.0)")
)

func temporary(reason, text string) *Refusal {
	return &Refusal{Code: int(qmail.Temporary), Text: "Zqmail-dkim: " + text, Reason: reason}
}

// because returns the refusal with its cause, for the log alone.
func (r *Refusal) because(cause error) *Refusal {
	with := *r
	with.Cause = cause
	return &with
}

// tell writes the text of a refusal to the descriptors from which the caller
// reads it, and returns the code to exit with: that of a custom refusal when
// a text was written, else the plain one.
func (r *Refusal) tell(env *prog.Env) qmail.Code {
	if r.Text == "" {
		return qmail.Code(r.Code)
	}
	return qmail.Refuse(env, r.Text, qmail.Code(r.Code))
}
