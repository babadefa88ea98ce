package qmailsmtpd

import (
	"bufio"
	"net/netip"

	"ucspi-go/internal/localip"
)

// maxEnvelope bounds the envelope in bytes, since a session's memory grows
// with it, several times over. It has room for 100,000 recipients of usual
// length.
const maxEnvelope = 4 << 20

// session is the state of one SMTP session.
type session struct {
	config
	home    string
	environ []string
	in      *bufio.Reader
	out     *bufio.Writer

	helo     string // argument of HELO or EHLO
	fakeHelo bool   // helo is not the client's name

	seenMail bool // a transaction is open; the fields below are its
	badMail  bool // the sender is in badmailfrom
	sender   string
	envelope []byte // recipients as T records
	count    uint64 // of them
}

// reply writes one line; a failure shows when the output is flushed.
func (s *session) reply(line string) {
	s.out.WriteString(line)
	s.out.WriteString("\r\n")
}

// command answers one command. Its error ends the session. Commands that a
// client waits for are flushed; the others may leave with their neighbours'.
func (s *session) command(verb, arg string) error {
	switch verb {
	case "rcpt":
		return s.rcpt(arg)
	case "mail":
		return s.mail(arg)
	case "rset":
		s.seenMail = false
		s.reply("250 flushed")
		return nil
	case "data":
		if err := s.data(); err != nil {
			return err
		}
	case "quit":
		s.reply("221 " + s.greeting)
		s.out.Flush()
		return errQuit
	case "helo":
		s.reply("250 " + s.greeting)
		s.hello(arg)
	case "ehlo":
		s.reply("250-" + s.greeting)
		s.reply("250-PIPELINING")
		s.reply("250 8BITMIME")
		s.hello(arg)
	case "help":
		s.reply("214 qmail home page: https://cr.yp.to/qmail.html")
	case "noop":
		s.reply("250 ok")
	case "vrfy":
		s.reply("252 send some mail, i'll try my best")
	default:
		s.reply("502 unimplemented (#5.5.1)")
	}
	return s.out.Flush()
}

// hello remembers the name that the client gives itself, and ends any
// transaction.
func (s *session) hello(name string) {
	s.seenMail = false
	s.helo, s.fakeHelo = name, lower(name) != lower(s.remoteHost)
}

// mail opens a transaction, replacing one that is open. A bad sender is told
// at RCPT.
func (s *session) mail(arg string) error {
	address, ok, err := s.address(arg)
	if err != nil || !ok {
		return err
	}
	s.seenMail, s.badMail = true, s.badSender(address)
	s.sender, s.envelope, s.count = address, s.envelope[:0], 0
	s.reply("250 ok")
	return nil
}

// rcpt adds a recipient to the open transaction.
func (s *session) rcpt(arg string) error {
	if !s.seenMail {
		s.reply("503 MAIL first (#5.5.1)")
		return nil
	}
	address, ok, err := s.address(arg)
	if err != nil || !ok {
		return err
	}
	if s.badMail {
		s.reply("553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)")
		return nil
	}
	if s.relaying {
		address += s.relayClient
	} else if accepted, err := s.accepts(address); err != nil {
		return errControls
	} else if !accepted {
		s.reply("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
		return nil
	}
	if s.maxRecipients > 0 && s.count >= s.maxRecipients || len(s.envelope)+len(address)+2 > maxEnvelope {
		s.reply("452 sorry, too many recipients (#4.5.3)")
		return nil
	}
	s.count++
	s.envelope = append(append(append(s.envelope, 'T'), address...), 0)
	s.reply("250 ok")
	return nil
}

// address parses the argument of MAIL or RCPT and puts control/localiphost in
// the place of one of this host's addresses. When it is not ok, the client
// has been told.
func (s *session) address(arg string) (address string, ok bool, err error) {
	address = parseAddress(arg)
	if local, host := atHost(address); s.hasIPHost && host != "" {
		if ip, ok := scanBracketed(host[1:]); ok {
			own, err := localip.Addresses()
			if err != nil {
				return "", false, errLocalIP
			}
			if localip.Is(netip.AddrFrom4(ip), own) {
				address = local + "@" + s.localIPHost
			}
		}
	}
	if len(address) >= maxAddress {
		s.reply("555 syntax error (#5.5.4)")
		return "", false, nil
	}
	return address, true, nil
}
