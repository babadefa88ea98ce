package qmailremote

import (
	"net/netip"
	"strings"

	"ucspi-go/internal/smtp"
)

// A failure is a message report for which no server was needed, or none was
// reached: Z for now or D for good, and the words.
type failure string

func (f failure) Error() string { return "qmailremote: " + string(f) }

// The words are those of netqmail's and notqmail's qmail-remote, but for the
// sender.
const (
	errUsage     failure = "DI (qmail-remote) was invoked improperly. (#5.3.5)\n"
	errHome      failure = "ZUnable to switch to home directory. (#4.3.0)\n"
	errControls  failure = "ZUnable to read control files. (#4.3.0)\n"
	errSystem    failure = "ZSystem resources temporarily unavailable. (#4.3.0)\n"
	errDNS       failure = "ZSorry, I couldn't find any host by that name. (#4.1.2)\n"
	errNoAddress failure = "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n"
	errOwn       failure = "DSorry. Although I'm listed as a best-preference MX or A for that host,\n" +
		"it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n"
	errNoConnection failure = "ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"
	errSender       failure = "DSorry, the sender's address has a line end in it. (#5.1.7)\n"
	errMessage      failure = "ZUnable to read message. (#4.3.0)\n"
	errPartialLine  failure = "DSMTP cannot transfer messages with partial final lines. (#5.6.2)\n"
)

func noSuchHost(host string) failure {
	return failure("DSorry, I couldn't find any host named " + host + ". (#5.1.2)\n")
}

// badRecipient is the report of a recipient that no server is told.
const badRecipient = "hSorry, the recipient's address has a line end in it. (#5.1.3)\n"

// A report is what qmail-rspawn reads: a report for each recipient in order,
// then one for the message, each ended by a NUL.
type report struct{ strings.Builder }

func (r *report) add(parts ...string) {
	for _, part := range parts {
		// One NUL too many would begin another report.
		r.WriteString(strings.ReplaceAll(part, "\x00", "?"))
	}
	r.WriteByte(0)
}

// recipient reports what a server said to a recipient.
func (r *report) recipient(server netip.Addr, reply smtp.Reply) {
	switch {
	case reply.Positive():
		r.add("r")
	case reply.Permanent():
		r.add("h", server.String(), " does not like recipient.\n", said(reply))
	default:
		r.add("s", server.String(), " does not like recipient.\n", said(reply))
	}
}

// accepted reports that a server has taken the message.
func (r *report) accepted(server netip.Addr, reply smtp.Reply) {
	r.add("K", server.String(), " accepted message.\n", said(reply))
}

// refused reports what a server did not want.
func (r *report) refused(server netip.Addr, refusal *smtp.Refusal) {
	letter := "Z"
	if refusal.Reply.Permanent() {
		letter = "D"
	}
	ip, said := server.String(), said(refusal.Reply)
	switch refusal.Stage {
	case smtp.Greeting:
		r.add("ZConnected to ", ip, " but greeting failed.\n", said)
	case smtp.Hello:
		r.add("ZConnected to ", ip, " but my name was rejected.\n", said)
	case smtp.Sender:
		r.add(letter, "Connected to ", ip, " but sender was rejected.\n", said)
	case smtp.Recipients:
		r.add("DGiving up on ", ip, ".\n") // the recipients' reports say whether for good
	case smtp.Command:
		r.add(letter, ip, " failed on DATA command.\n", said)
	case smtp.Message:
		r.add(letter, ip, " failed after I sent the message.\n", said)
	}
}

// lost reports that a connection broke.
func (r *report) lost(server netip.Addr, lost *smtp.Lost) {
	duplicate := ""
	if lost.MaybeSent {
		duplicate = "Possible duplicate! "
	}
	r.add("ZConnected to ", server.String(), " but connection died. ", duplicate, "(#4.4.2)\n")
}

// maxSaid is the length in bytes to which a server's words are cut.
const maxSaid = 5000

func said(reply smtp.Reply) string {
	return "Remote host said: " + reply.Text[:min(len(reply.Text), maxSaid)]
}
