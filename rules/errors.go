package rules

import "syscall"

var (
	// ErrCorrupt is a database that is damaged, cut short or none at all. It
	// unwraps to EPROTO, under which the C programs report it.
	ErrCorrupt error = coded{"corrupt rules database", syscall.EPROTO}

	// ErrTooBig is a database that would pass the 4 GiB that the format can
	// hold. It unwraps to ENOMEM, under which the C programs report it.
	ErrTooBig error = coded{"more than 4 GiB of rules", syscall.ENOMEM}
)

type coded struct {
	text  string
	errno syscall.Errno
}

func (e coded) Error() string { return e.text }
func (e coded) Unwrap() error { return e.errno }
