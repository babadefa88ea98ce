package dkimtools

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/rules"
)

// maxQuoted is how many bytes of the message a report by mail quotes: who
// forges a sender must not have much sent there.
const maxQuoted = 16 << 10

// asQueue is dkimreport as a queue program: what qmail-smtpd would queue is
// answered instead. Its exit codes are those of qmail.Code.
func asQueue(ctx context.Context, env *prog.Env, fd1 *os.File) error {
	r, err := examine(ctx, env)
	if err != nil {
		return queueExit(env, qmail.ReadError, "unable to read the message", err)
	}
	defer r.Close()
	envelope, err := qmail.ReadEnvelope(fd1)
	if err != nil {
		return queueExit(env, qmail.CodeOf(err), "unable to read the envelope", err)
	}
	r.sender = envelope.Sender
	if err := r.mail(env); err != nil {
		return queueExit(env, queueCode(err), "unable to queue the report", err)
	}
	return nil
}

// queueCode returns the exit code for an error of enqueue.
func queueCode(err error) qmail.Code {
	var (
		exited *queueFailure
		start  *qmail.QueueError
	)
	switch {
	case errors.As(err, &exited):
		return exited.code
	case errors.As(err, &start):
		return start.Code
	}
	return qmail.WriteError
}

func queueExit(env *prog.Env, code qmail.Code, what string, err error) error {
	env.Warn(what, err)
	return prog.Exit(int(code))
}

// mail sends the report to the envelope sender, with none of its own, unless
// the message may be from a program: then there is only a line on standard
// error, since answers to answers would never end.
func (r *report) mail(env *prog.Env) error {
	if why := r.unanswerable(); why != "" {
		env.Warn("no report sent: "+why, nil)
		return nil
	}
	var b bytes.Buffer
	now := time.Now()
	b.WriteString("From: auth-results@" + clean(r.me) + "\n" +
		"To: <" + r.sender + ">\n" +
		"Subject: Authentication Report\n" +
		"Date: " + now.UTC().Format("2 Jan 2006 15:04:05 -0000") + "\n" +
		"Message-ID: <" + strconv.FormatInt(now.Unix(), 10) + "." + strconv.Itoa(os.Getpid()) + ".dkimreport@" + clean(r.me) + ">\n")
	if id := r.Header("Message-ID"); isMessageID(id) {
		b.WriteString("In-Reply-To: " + id + "\n")
	}
	b.WriteString("Precedence: junk (auto_reply)\n" +
		"Auto-Submitted: auto-replied\n" +
		"MIME-Version: 1.0\n" +
		"Content-Type: text/plain; charset=utf-8\n" +
		"Content-Transfer-Encoding: 8bit\n\n")
	if err := r.write(&b, maxQuoted); err != nil {
		return err
	}
	return enqueue(env, b.Bytes(), qmail.Envelope{Recipients: []string{r.sender}})
}

// unanswerable returns why the message must not be answered, empty when it may.
func (r *report) unanswerable() string {
	for _, c := range []byte(r.sender) {
		if c <= ' ' || c == 0x7f || c == '<' || c == '>' {
			return "the envelope sender is no address"
		}
	}
	automatic := func(value string) bool {
		auto, _, _ := strings.Cut(strings.ToLower(value), ";")
		return strings.TrimSpace(auto) != "no"
	}
	precedence := strings.ToLower(r.Header("Precedence"))
	switch {
	case r.sender == "" || r.sender == "#@[]":
		return "the envelope sender is empty"
	case slices.ContainsFunc(r.Headers("Auto-Submitted"), automatic):
		return "the message was sent by a program"
	case strings.HasPrefix(precedence, "bulk"), strings.HasPrefix(precedence, "junk"), strings.HasPrefix(precedence, "list"):
		return "the message has the precedence of a list or a program"
	case r.Header("List-Id") != "":
		return "the message is from a mailing list"
	}
	return ""
}

// isMessageID reports whether id can be quoted in a header field: <...> of
// printable ASCII that fits in a line.
func isMessageID(id string) bool {
	if len(id) < 3 || len(id) > 250 || id[0] != '<' || id[len(id)-1] != '>' {
		return false
	}
	return !strings.ContainsFunc(id[1:len(id)-1], func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' })
}

// A queueFailure is the exit code of a queue program that did not take the
// report.
type queueFailure struct{ code qmail.Code }

func (e *queueFailure) Error() string { return "queue program exited " + strconv.Itoa(int(e.code)) }

// enqueue gives a message to $DKIMQUEUE or bin/qmail-queue. The program does
// not get DKIMQUEUE: were it qmail-dkim, to sign the report, it would start
// itself without end.
func enqueue(env *prog.Env, message []byte, envelope qmail.Envelope) error {
	program, _ := env.Lookup("DKIMQUEUE")
	if program == "" {
		program = "bin/qmail-queue"
	}
	q, err := qmail.StartQueue(qmail.Home(env.Lookup), program, rules.Environ(env.Environ).Without("DKIMQUEUE"), true)
	if err != nil {
		return err
	}
	write := func(pipe *os.File) error {
		_, err := pipe.Write(message)
		return err
	}
	if code := q.Deliver(write, envelope.Bytes()); code != qmail.Queued {
		return &queueFailure{code}
	}
	return nil
}
