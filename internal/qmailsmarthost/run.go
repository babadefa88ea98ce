// Package qmailsmarthost is the program qmail-smarthost: a queue program that
// has no queue. It hands each message to another mail server while its caller
// waits, so that the caller's client hears what that server says.
package qmailsmarthost

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/outbound"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/spool"
)

// lifetime ends a program that waits for ever, as qmail-queue's alarm does:
// by SIGALRM.
const lifetime = 24 * time.Hour

// Run sends the message on descriptor 0, with the envelope on descriptor 1, to
// the server that $SMARTHOST or control/smarthost names. It returns nil when
// that server has taken it for every recipient.
func Run(ctx context.Context, env *prog.Env) error {
	signal.Ignore(syscall.SIGPIPE)
	prog.DefaultSignals(syscall.SIGALRM)
	// Not a timer of the runtime, which would start its poller; see prog.Open.
	unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: unix.NsecToTimeval(int64(lifetime))})
	r := &relay{dns: dns.New(env.Lookup)}
	if code := r.handle(socket.Direct(ctx), env); code != qmail.Queued {
		return prog.Exit(int(code))
	}
	return nil
}

// relay is one run of the program.
type relay struct {
	outbound.Controls
	dns      *dns.Resolver
	host     string
	port     uint16
	message  spool.Spool
	envelope qmail.Envelope
}

// handle takes the message and sends it, and says what became of it: the code,
// the words for the caller, the line for the log.
func (r *relay) handle(ctx context.Context, env *prog.Env) qmail.Code {
	defer r.message.Close()
	o := r.take(env)
	if o.code == qmail.Queued && len(r.envelope.Recipients) > 0 {
		o = r.send(ctx)
	}
	o.log(env, len(r.envelope.Recipients))
	if o.words == "" {
		return o.code
	}
	return qmail.Refuse(env, o.words, o.code)
}

// take reads the configuration, and message and envelope to their ends: a
// caller that breaks off must find nothing sent.
func (r *relay) take(env *prog.Env) outcome {
	home := qmail.Home(env.Lookup)
	if _, err := os.Stat(home + "/."); err != nil {
		return failure(qmail.NoHome, "no-home", err)
	}
	control := qmail.Control(filepath.Join(home, "control"))
	var err error
	if r.Controls, err = outbound.ReadControls(control); err != nil {
		return failure(qmail.ReadConfig, "bad-controls", err)
	}
	name, _ := env.Lookup("SMARTHOST")
	if name == "" {
		if name, _, err = control.Line("smarthost"); err != nil {
			return failure(qmail.ReadConfig, "bad-smarthost", err)
		}
	}
	if r.host, r.port, err = outbound.SplitRelay(name); err != nil || r.host == "" {
		return failure(qmail.ReadConfig, "no-smarthost", err)
	}
	r.message.Dir, _ = env.Lookup("TMPDIR")
	if _, err := io.Copy(&r.message, env.Stdin); err != nil {
		var trouble *spool.Error
		switch {
		case errors.As(err, &trouble) && trouble.Create:
			return failure(qmail.NoPidFile, "spool-error", err)
		case errors.As(err, &trouble):
			return failure(qmail.WriteError, "spool-error", err)
		}
		return failure(qmail.ReadError, "read-error", err)
	}
	// Not before the message has ended: qmail-smtpd writes it first.
	fd1 := env.Fd(1)
	if fd1 == nil {
		return failure(qmail.ReadError, "bad-envelope", qmail.ErrEnvelopeShort)
	}
	if r.envelope, err = qmail.ReadEnvelope(fd1); err != nil {
		return failure(qmail.CodeOf(err), "bad-envelope", err)
	}
	for _, address := range append([]string{r.envelope.Sender}, r.envelope.Recipients...) {
		if !smtp.Sendable(address) {
			return refusal(qmail.Permanent, "bad-address", "sorry, an address has a line end in it (#5.1.3)")
		}
	}
	return outcome{}
}

// send connects to the server and gives it the message.
func (r *relay) send(ctx context.Context) outcome {
	addrs, o := r.addresses(ctx)
	for _, addr := range addrs {
		server := netip.AddrPortFrom(addr, r.port)
		conn, err := smtp.Dial(ctx, server, r.Connect)
		if err == nil {
			o = r.talk(smtp.NewClient(conn, r.Options()))
			o.server = server
			return o
		}
		code := qmail.ConnectRefused
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) {
			code, err = qmail.ConnectTimedOut, syscall.ETIMEDOUT
		}
		o = failure(code, "no-connection", err)
		o.server = server
	}
	return o
}

// addresses returns the server's addresses, and what becomes of the message
// when there are none. A name that does not exist is a fault of this host's,
// which the message waits to see mended.
func (r *relay) addresses(ctx context.Context) ([]netip.Addr, outcome) {
	if addr, ok := outbound.Literal(r.host); ok {
		return []netip.Addr{addr}, outcome{}
	}
	ctx = socket.Until(ctx, time.Now().Add(outbound.LookupTime))
	addrs, unsure := outbound.Addresses(ctx, r.dns, r.host)
	reason := "no-such-host"
	if unsure {
		reason = "dns-error"
	}
	return addrs, failure(qmail.NoNetwork, reason, nil)
}

// talk has the session with the server, in which all recipients are accepted
// or no message is sent: the caller has one answer for all of them.
func (r *relay) talk(client *smtp.Client) outcome {
	defer client.Quit()
	if err := client.Start(); err != nil {
		return answer(err)
	}
	envelope := smtp.Envelope{Sender: r.envelope.Sender, Recipients: r.envelope.Recipients}
	if r.Extended {
		envelope.Size, envelope.EightBit = outbound.Measure(r.message.Reader())
	}
	replies, err := client.Envelope(envelope)
	if i, found := worst(replies); found {
		return said(replies[i], "recipient", "recipient "+r.envelope.Recipients[i]+": ")
	}
	if err != nil {
		return answer(err)
	}
	reply, err := client.Data(r.message.Reader())
	if err != nil {
		return answer(err)
	}
	return outcome{reply: reply}
}

// worst returns the index of the recipient that is refused, if any is: the
// first that is refused for good, or else the first.
func worst(replies []smtp.Reply) (index int, found bool) {
	for i, r := range replies {
		switch {
		case r.Permanent():
			return i, true
		case !r.Positive() && !found:
			index, found = i, true
		}
	}
	return index, found
}
