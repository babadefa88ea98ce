package mailpath

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/qmailsmtpd"
	"ucspi-go/internal/smtp"
	"ucspi-go/qmaildkim"
)

// nobody is the recipient of a message for which none is given: addresses
// without a domain are always accepted.
const nobody = "postmaster"

// rehearse plays the session of a client that sends the message, or that only
// hears the greeting.
func (x *explainer) rehearse(ctx context.Context) error {
	ours, theirs := net.Pipe()
	type outcome struct {
		open bool
		err  error
	}
	served := make(chan outcome, 1)
	go func() {
		open, err := qmailsmtpd.Rehearse(&prog.Env{Environ: x.environ}, theirs, func(message io.Reader, envelope func() (qmail.Envelope, error)) string {
			return x.take(ctx, message, envelope)
		})
		theirs.Close()
		served <- outcome{open, err}
	}()
	err := x.send(client{ours, smtp.NewReader(ours)})
	ours.Close()
	switch o := <-served; {
	case o.err != nil:
		return &prog.Error{Code: 111, Severity: "fatal", What: "unable to read the control files of " + x.Home + " as " + x.user.Name, Err: readFault(o.err, x.Home),
			Hint: "qmail-smtpd would end every session with 421 unable to read controls (#4.3.0); QMAILHOME names another home"}
	case o.open:
		x.fault("control/rcpthosts does not exist: qmail-smtpd accepts mail to any domain from everybody", "list the domains that you receive mail for in "+x.Home+"/control/rcpthosts")
	}
	if x.fatal != nil {
		return prog.Fatal(111, "unable to examine the message", x.fatal)
	}
	return err
}

// readFault returns why a session could not start: that of control/me, which
// is the file that it needs, where there is no other reason.
func readFault(err error, home string) error {
	if _, me := os.Stat(home + "/control/me"); me != nil {
		return me
	}
	return err
}

// send is the client: it gives the message to each recipient. An error of the
// session itself is that of its start, which Rehearse tells.
func (x *explainer) send(c client) error {
	if _, err := c.ask(); err != nil || x.message == nil {
		return nil
	}
	rcpts := x.recipients
	if len(rcpts) == 0 {
		rcpts = []string{nobody}
	}
	for _, command := range []string{"HELO mailpath", "MAIL FROM:<>"} {
		if _, err := c.ask(command); err != nil {
			return broken(err)
		}
	}
	accepted := 0
	for i, rcpt := range rcpts {
		reply, err := c.ask("RCPT TO:<", qmail.Quote(rcpt), ">")
		if err != nil {
			return broken(err)
		}
		if reply.Positive() {
			accepted++
		}
		if i < len(x.recipients) {
			x.recipient(rcpt, reply)
		}
	}
	if accepted == 0 {
		return nil
	}
	reply, err := c.ask("DATA")
	if err != nil {
		return broken(err)
	}
	if reply.Code != 354 {
		x.answer(reply)
		return nil
	}
	err = c.send(x.message)
	if read := (messageError{}); errors.As(err, &read) {
		return prog.Fatal(111, "unable to read "+x.options.message, read.error)
	}
	if reply, err = c.ask(); err != nil {
		return broken(err)
	}
	x.answer(reply)
	return nil
}

// broken is the end of a session that was not to end yet.
func broken(err error) error {
	return prog.Fatal(111, "unable to rehearse the session", err)
}

// recipient takes the reply to a recipient.
func (x *explainer) recipient(address string, reply smtp.Reply) {
	r := Recipient{Address: clean(address), Accepted: reply.Positive(), Reply: clean(strings.TrimSpace(reply.Text))}
	if !r.Accepted {
		x.Result = resultRefused
		x.fault("the recipient "+r.Address+" is refused: "+r.Reply, x.mendRecipient(reply.Code))
	}
	x.Recipients = append(x.Recipients, r)
}

// answer takes the reply to the message. That it was taken is told without the
// time and the number of a process, which there are not.
func (x *explainer) answer(reply smtp.Reply) {
	if reply.Positive() {
		x.Reply = "250 ok"
		return
	}
	x.Reply, x.Result = clean(strings.TrimSpace(reply.Text)), resultRefused
}

// mendRecipient says what to do about a refused recipient.
func (x *explainer) mendRecipient(code int) string {
	if code != 553 {
		return ""
	}
	return "list its domain in control/rcpthosts if mail for it is received here; a client that may send anywhere needs RELAYCLIENT in its rule"
}

// take is the queue program: what becomes of the message in it.
func (x *explainer) take(ctx context.Context, message io.Reader, envelope func() (qmail.Envelope, error)) string {
	if x.Queue.Error != "" || !x.Queue.DKIM || x.refusal != nil {
		_, _ = io.Copy(io.Discard, message) // so that the session gets to its end
	}
	switch {
	case x.Queue.Error != "":
		return qmail.NoExec.Reply()
	case !x.Queue.DKIM:
		return ""
	case x.refusal != nil:
		x.Signing = &Signing{Reason: x.refusal.Reason}
		return x.reply(x.refusal)
	}
	if asked, confined := x.config.Confine(); asked && !confined {
		x.note("SANDBOX has no effect: this kernel has no Landlock", "")
	}
	f := &qmaildkim.Filter{Config: x.config, LookupTXT: x.answers.LookupTXT}
	f.Recipients = func() ([]string, error) {
		e, err := envelope()
		if len(x.recipients) == 0 {
			e.Recipients = nil
		}
		return e.Recipients, err
	}
	e, err := f.Examine(ctx, message)
	switch {
	case err == nil:
		x.examined = e
	case errors.As(err, &x.refusal):
		x.examined = e
		return x.reply(x.refusal)
	case errors.Is(err, qmail.ErrEnvelopeShort): // qmail-smtpd does not want it
		return qmail.ReadError.Reply()
	default:
		x.fatal = err
		return qmail.Bug.Reply()
	}
	if x.Queue.Next.Error != "" {
		return qmail.NoExec.Reply()
	}
	return ""
}

// reply returns what the client hears of a refusal by qmail-dkim.
func (x *explainer) reply(r *qmaildkim.Refusal) string {
	code := qmail.Code(r.Code)
	if r.Text == "" {
		return code.Reply()
	}
	read, write, err := os.Pipe()
	lost, other, err2 := os.Pipe()
	if err != nil || err2 != nil {
		return code.Reply()
	}
	defer read.Close()
	defer lost.Close()
	defer other.Close()
	// As qmail-smtpd starts it: one pipe on 4 and 6, and its own descriptor 2.
	fd := func(n int) *os.File {
		switch n {
		case 0, 1, 2:
			return other
		case 4, 6:
			return write
		}
		return nil
	}
	code = qmail.Refuse(&prog.Env{Environ: x.environ, Fd: fd}, r.Text, code)
	write.Close()
	words, _ := io.ReadAll(read)
	return code.ReplyWith(string(words), false)
}
