package domainkey

import (
	"io/fs"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
)

// Errors that whoever makes a first key meets say what to do.
func TestFailedHints(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{
		syscall.EACCES: "run it as root, or as the owner of /var/qmail/control/domainkeys",
		syscall.EPERM:  "run it as root, or as the owner of /var/qmail/control/domainkeys",
		syscall.ENOENT: `QMAILHOME, or else /var/qmail, must be qmail's home; now it is "/var/qmail"`,
		syscall.EROFS:  "",
	} {
		err := failed(&options{domain: "example.com", selector: "default"}, "/var/qmail", &fs.PathError{Op: "make", Path: "control/domainkeys", Err: errno})
		if e := err.(*prog.Error); e.Hint != want || e.What != "unable to make control/domainkeys" {
			t.Errorf("%v: %s, hint %q; want %q", errno, e.What, e.Hint, want)
		}
	}
}
