// Package qmailmaildir delivers messages to a Maildir behind the interface of
// a queue program, so that a host without qmail-send has an end for its mail.
package qmailmaildir

import (
	"context"
	"os"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// Run reads a message from descriptor 0 and its envelope from descriptor 1,
// and delivers the message once, for all recipients together, to the Maildir
// that $MAILDIR names, from qmail's home unless absolute. It returns nil only
// when the message is on disk, where a crash cannot take it.
//
// The code alone tells what is wrong with the input, as from qmail-queue; what
// is wrong with the Maildir is worth a line.
func Run(_ context.Context, env *prog.Env) error {
	qmail.CatchSignals()
	syscall.Umask(0o077)
	name, _ := env.Lookup("MAILDIR")
	if name == "" {
		return fail(qmail.ReadConfig, "MAILDIR is not set", nil)
	}
	if err := os.Chdir(qmail.At(qmail.Home(env.Lookup), name)); err != nil {
		return fail(qmail.NoQueueDir, "unable to change directory to "+name, err)
	}
	envelope := env.Fd(1)
	if envelope == nil {
		return prog.Exit(int(qmail.ReadError))
	}
	d := &delivery{unique: unique{born: time.Now(), pid: os.Getpid(), seq: 1, host: nodeName()}}
	return d.deliver(env.Stdin, envelope)
}

// fail returns the error that says what is wrong and exits with code.
func fail(code qmail.Code, what string, err error) error { return prog.Fatal(int(code), what, err) }
