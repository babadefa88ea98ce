// Package outbound has what the programs that send mail by SMTP have in
// common beside the protocol: control files, the names of relays, addresses.
package outbound

import (
	"errors"
	"math"
	"strings"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
)

// LookupTime bounds all lookups of one delivery together. What cannot be found
// in it fails for now.
const LookupTime = 5 * time.Minute

// Controls is what the control files say of every delivery.
type Controls struct {
	Name     string        // of this host: control/helohost, else control/me
	Extended bool          // control/smtpehlo is 1
	Connect  time.Duration // control/timeoutconnect, for each address; at least a second
	Remote   time.Duration // control/timeoutremote, for each reply and write; likewise
}

// ErrNoName is the error of ReadControls when this host has no name, or one
// that no command can carry.
var ErrNoName = errors.New("outbound: no host name")

// ReadControls reads the control files. The error is ErrNoName, or that of a
// file that cannot be read.
func ReadControls(control qmail.Control) (Controls, error) {
	c := Controls{Connect: time.Minute, Remote: 1200 * time.Second}
	var failed error
	line := func(name string) (string, bool) {
		s, found, err := control.Line(name)
		failed = errors.Join(failed, err)
		return s, found
	}
	seconds := func(name string, value *time.Duration) {
		s, _ := line(name)
		if n, digits := prog.Number(s); digits > 0 {
			*value = time.Duration(min(max(n, 1), math.MaxInt32/1000)) * time.Second
		}
	}
	var found bool
	if c.Name, found = line("helohost"); !found {
		c.Name, found = line("me")
	}
	// An editor's CR must not leave; there is no other use for one.
	c.Name = strings.TrimRight(c.Name, "\r")
	ehlo, _ := line("smtpehlo")
	c.Extended = IsOne(ehlo)
	seconds("timeoutconnect", &c.Connect)
	seconds("timeoutremote", &c.Remote)
	switch {
	case failed != nil:
		return c, failed
	case !found || !smtp.Sendable(c.Name):
		return c, ErrNoName
	}
	return c, nil
}

// IsOne reports whether a control file, of which this is the line, turns
// something on.
func IsOne(line string) bool {
	return prog.Leading(line) == 1
}

// Options returns how a client is to speak.
func (c Controls) Options() smtp.Options {
	return smtp.Options{Name: c.Name, Timeout: c.Remote, Extended: c.Extended}
}

// IsTemporary reports whether an error of a lookup may be none the next time.
func IsTemporary(err error) bool {
	var e *dns.Error
	return errors.As(err, &e) && e.Temporary()
}
