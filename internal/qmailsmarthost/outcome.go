package qmailsmarthost

import (
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
	"ucspi-go/internal/ucspi"
)

// An outcome is what became of the message. The zero outcome is success.
type outcome struct {
	code   qmail.Code // with words, for a caller that does not read them
	words  string     // D for good or Z for now, and why; empty for the code alone
	reason string     // word for the log
	server netip.AddrPort
	reply  smtp.Reply
	cause  error // for the log
}

// failure is an outcome of which the code says enough.
func failure(code qmail.Code, reason string, cause error) outcome {
	return outcome{code: code, reason: reason, cause: cause}
}

// maxWords is the length in bytes to which words are cut: qmail-smtpd reads no
// more.
const maxWords = 255

// refusal is an outcome in words, Permanent or for now.
func refusal(code qmail.Code, reason, words string) outcome {
	letter := "Z"
	if code == qmail.Permanent {
		letter = "D"
	}
	words = oneLine(letter + words)
	return outcome{code: code, reason: reason, words: words[:min(len(words), maxWords)]}
}

// oneLine makes one line of several, since C qmail-smtpds put words into
// their reply as they are.
func oneLine(text string) string {
	b := []byte(strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", " "))
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = '?'
		}
	}
	return string(b)
}

// said is a refusal in the server's own words, behind what they are about.
func said(reply smtp.Reply, reason, about string) outcome {
	code := qmail.Temporary
	if reply.Permanent() {
		code = qmail.Permanent
	}
	o := refusal(code, reason, about+reply.Text)
	o.reply = reply
	return o
}

// answer is the outcome of an error of smtp.Client.
func answer(err error) outcome {
	switch e := err.(type) {
	case *smtp.Refusal:
		switch e.Stage {
		case smtp.Greeting, smtp.Hello:
			// What it has against this host it may not have for long.
			o := refusal(qmail.ConnectRefused, "greeting", "mail server: "+e.Reply.Text)
			o.reply = e.Reply
			return o
		case smtp.Sender:
			return said(e.Reply, "sender", "sender: ")
		}
		return said(e.Reply, "message", "")
	case *smtp.MessageError:
		if e.Err == smtp.ErrPartialLine {
			return refusal(qmail.Permanent, "partial-line", "SMTP cannot transfer messages with partial final lines. (#5.6.2)")
		}
		return failure(qmail.ReadError, "spool-error", e.Err)
	case *smtp.Lost:
		reason := "lost"
		if e.MaybeSent {
			reason = "lost-after-message" // which may have arrived
		}
		return failure(qmail.ConnectLost, reason, e.Err)
	}
	return failure(qmail.ConnectLost, "lost", err)
}

// log writes the line for the message to standard error, in one write, unless
// that is where the caller reads the words.
func (o outcome) log(env *prog.Env, recipients int) {
	const stderr = 2
	if env.Fd(stderr) == nil || slices.Contains(qmail.ErrorFds(env), stderr) {
		return
	}
	_, _ = syscall.Write(int(env.Fd(stderr).Fd()), []byte(o.line(os.Getpid(), recipients)))
}

// line returns the log line: words of the form key=value behind what was done.
func (o outcome) line(pid, recipients int) string {
	var b strings.Builder
	word := func(key, value string) {
		if value != "" {
			b.WriteString(" " + key + "=" + strings.ReplaceAll(value, " ", "-"))
		}
	}
	b.WriteString("qmail-smarthost: ")
	switch {
	case o.code == qmail.Queued:
		b.WriteString("sent")
	case strings.HasPrefix(o.code.Reply(), "5"):
		b.WriteString("reject")
	default:
		b.WriteString("defer")
	}
	word("pid", strconv.Itoa(pid))
	if o.server.IsValid() {
		word("relay", o.server.String())
	}
	word("rcpts", strconv.Itoa(recipients))
	word("reason", o.reason)
	if o.code != qmail.Queued {
		word("code", strconv.Itoa(int(o.code)))
	}
	if o.cause != nil {
		word("cause", prog.Errstr(o.cause))
	}
	word("reply", ucspi.Safe(strings.ReplaceAll(oneLine(o.reply.Text), " ", "-")))
	b.WriteByte('\n')
	return b.String()
}
