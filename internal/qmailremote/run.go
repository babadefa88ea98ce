// Package qmailremote is the program qmail-remote, which sends one message to
// recipients at a remote host by SMTP and reports how each has fared.
// Arguments, control files and reports are those of netqmail's and notqmail's
// program, which qmail-rspawn runs.
package qmailremote

import (
	"context"
	"errors"
	"io"
	"math"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/localip"
	"ucspi-go/internal/outbound"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
	"ucspi-go/internal/socket"
)

// remote is one run of the program.
type remote struct {
	config
	dns        *dns.Resolver
	own        func() ([]netip.Addr, error) // this host's addresses
	timeouts   timeouts
	sender     string
	recipients []string
	message    io.Reader
	file       *os.File // the message if it may be a file, nil otherwise
	report     report
}

// Run sends the message on descriptor 0: HOST SENDER RECIPIENT... The reports
// on standard output are all that it says; it always exits 0.
func Run(ctx context.Context, env *prog.Env) error {
	signal.Ignore(syscall.SIGPIPE)
	r := &remote{dns: dns.New(env.Lookup), own: localip.Addresses}
	_, _ = io.WriteString(env.Stdout, r.reports(socket.Direct(ctx), env))
	return nil
}

// reports does the work and returns what is to be said.
func (r *remote) reports(ctx context.Context, env *prog.Env) string {
	r.message, r.file = env.Stdin, env.Fd(0)
	if err := r.run(ctx, env); err != nil {
		r.report.add(string(err.(failure)))
	}
	return r.report.String()
}

// run reports what the server said. The error, a failure, is the report for
// the message otherwise.
func (r *remote) run(ctx context.Context, env *prog.Env) error {
	if len(env.Args) < 3 {
		return errUsage
	}
	r.sender, r.recipients = env.Args[1], env.Args[2:]
	home := qmail.Home(env.Lookup)
	if _, err := os.Stat(home + "/."); err != nil {
		return errHome
	}
	r.timeouts = timeouts(filepath.Join(home, "queue", "lock", "tcpto"))
	var err error
	if r.config, err = readConfig(home); err != nil {
		return err
	}
	if !smtp.Sendable(r.sender) {
		return errSender
	}
	to, err := r.route(env.Args[0])
	if err != nil {
		return err
	}
	hosts, err := r.hosts(socket.Until(ctx, time.Now().Add(outbound.LookupTime)), to)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		if r.timeouts.isLeftAlone(h.addr, time.Now()) {
			continue
		}
		if conn := r.dial(ctx, h, to.port); conn != nil {
			return r.talk(ctx, conn, h, to.port)
		}
	}
	return errNoConnection
}

// dial returns a connection to a host, nil when there is none.
func (r *remote) dial(ctx context.Context, h mailHost, port uint16) smtp.Conn {
	conn, err := smtp.Dial(ctx, netip.AddrPortFrom(h.addr, port), r.Connect)
	late := errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT)
	r.timeouts.remember(h.addr, late, time.Now())
	if err != nil {
		return nil
	}
	return conn
}

// talk sends the message over a connection. A server with which TLS cannot be
// had is connected to once more, and gets the message in clear.
func (r *remote) talk(ctx context.Context, conn smtp.Conn, h mailHost, port uint16) error {
	options := r.Options()
	if r.Extended {
		options.StartTLS = startTLS(h.name)
	}
	client := smtp.NewClient(conn, options)
	err := client.Start()
	if _, noTLS := err.(*smtp.TLSError); noTLS {
		client.Quit()
		if conn = r.dial(ctx, h, port); conn == nil {
			return errNoConnection
		}
		options.StartTLS = nil
		client = smtp.NewClient(conn, options)
		err = client.Start()
	}
	if err == nil {
		err = r.send(client, h.addr)
	}
	client.Quit()
	switch e := err.(type) {
	case *smtp.Refusal:
		r.report.refused(h.addr, e)
	case *smtp.Lost:
		r.report.lost(h.addr, e)
	case *smtp.MessageError:
		if e.Err == smtp.ErrPartialLine {
			return errPartialLine
		}
		return errMessage
	}
	return nil
}

// send sends envelope and message and reports on each recipient, and on the
// message if it was accepted. Errors are those of smtp.Client.
func (r *remote) send(client *smtp.Client, server netip.Addr) error {
	envelope := smtp.Envelope{Sender: r.sender}
	for _, recipient := range r.recipients {
		if smtp.Sendable(recipient) {
			envelope.Recipients = append(envelope.Recipients, recipient)
		}
	}
	if r.Extended {
		envelope.Size, envelope.EightBit = r.measure()
	}
	replies, err := client.Envelope(envelope)
	r.reportRecipients(server, replies)
	if err != nil {
		return err
	}
	reply, err := client.Data(r.message)
	if err == nil {
		r.report.accepted(server, reply)
	}
	return err
}

// reportRecipients reports on the recipients up to the first without a reply:
// the reports' order is all that says whose they are.
func (r *remote) reportRecipients(server netip.Addr, replies []smtp.Reply) {
	for _, recipient := range r.recipients {
		switch {
		case !smtp.Sendable(recipient):
			r.report.add(badRecipient)
		case len(replies) == 0:
			return
		default:
			r.report.recipient(server, replies[0])
			replies = replies[1:]
		}
	}
}

// measure reads ahead in a message that is a file, as qmail-rspawn gives it;
// of a pipe nothing is known.
func (r *remote) measure() (size int64, eightBit bool) {
	if r.file == nil {
		return 0, false
	}
	info, err := r.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	start, err := r.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, false
	}
	return outbound.Measure(io.NewSectionReader(r.file, start, math.MaxInt64-start))
}
