package qmaildkim

import (
	"slices"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"

	"golang.org/x/sys/unix"
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
func (r *Refusal) tell(env *prog.Env, c Config) int {
	if r.Text == "" {
		return r.Code
	}
	var told []int
	for _, fd := range refusalFds(env, c) {
		// Our qmail-smtpd has one pipe on both descriptors.
		if slices.ContainsFunc(told, func(other int) bool { return sameFile(fd, other) }) {
			continue
		}
		if _, err := syscall.Write(fd, []byte(r.Text)); err == nil {
			told = append(told, fd)
		}
	}
	if len(told) > 0 {
		return int(qmail.Custom)
	}
	return r.Code
}

// refusalFds returns the descriptors for the text of a refusal: the one that
// the environment names, else those that notqmail's and sagredo's qmail-smtpd
// read, 6 and 4, where these are pipes to write to.
func refusalFds(env *prog.Env, c Config) []int {
	if c.errorFd != anyFd {
		if c.errorFd >= 0 && env.Fd(c.errorFd) != nil {
			return []int{c.errorFd}
		}
		return nil
	}
	var fds []int
	for _, fd := range []int{6, 4} {
		if env.Fd(fd) != nil && writablePipe(fd) {
			fds = append(fds, fd)
		}
	}
	return fds
}

func writablePipe(fd int) bool {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		return false
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE != unix.O_RDONLY
}

// sameFile reports whether two descriptors are of one file or pipe.
func sameFile(a, b int) bool {
	var st [2]unix.Stat_t
	return unix.Fstat(a, &st[0]) == nil && unix.Fstat(b, &st[1]) == nil &&
		st[0].Dev == st[1].Dev && st[0].Ino == st[1].Ino
}
