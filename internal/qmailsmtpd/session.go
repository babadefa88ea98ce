package qmailsmtpd

import (
	"bufio"

	"ucspi-go/internal/localip"
)

// session is the state of one SMTP session.
type session struct {
	config
	in   *bufio.Reader
	out  *bufio.Writer
	open func() (receiver, error) // starts the queue program

	helo     []byte // argument of HELO or EHLO
	fakeHelo bool   // helo is not the client's name
	field    []byte // the last message's Received field, for its memory

	seenMail bool // a transaction is open; the fields below are its
	badMail  bool // the sender is in badmailfrom
	envelope
}

// receiver takes a message and its envelope: a queue program at work.
type receiver interface {
	// put gives it a piece of the message, which it does not keep.
	put(piece []byte)
	// spoil makes it fail, whatever it is given from now on.
	spoil()
	// abandon leaves it with a message that ends early and no envelope.
	abandon()
	// finish ends the message, gives the envelope and waits. It returns the
	// reply, empty when the message is safe, and the number of the process.
	finish(e *envelope) (reply string, pid int)
}

// reply writes one line; a failure shows when the output is flushed.
func (s *session) reply(parts ...string) {
	for _, p := range parts {
		s.out.WriteString(p)
	}
	s.out.WriteString("\r\n")
}

// end says the last reply of a session that ends with one.
func (s *session) end(err error) {
	if last, ok := err.(lastReply); ok {
		s.reply(string(last))
		_ = s.out.Flush()
	}
}

// command answers one command. Its error ends the session. Commands that a
// client waits for are flushed; the others may leave with their neighbours'.
func (s *session) command(verb string, arg []byte) error {
	switch verb {
	case "rcpt":
		return s.rcpt(arg)
	case "mail":
		return s.mail(arg)
	case "rset":
		s.endTransaction()
		s.reply("250 flushed")
		return nil
	case "data":
		if err := s.data(); err != nil {
			return err
		}
	case "quit":
		s.reply("221 ", s.greeting)
		_ = s.out.Flush()
		return errQuit
	case "helo":
		s.reply("250 ", s.greeting)
		s.hello(arg)
	case "ehlo":
		s.reply("250-", s.greeting)
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
func (s *session) hello(name []byte) {
	s.endTransaction()
	s.helo = append(s.helo[:0], name...)
	s.fakeHelo = !equalFold(name, s.clientName)
}

// endTransaction forgets the open transaction, if there is one.
func (s *session) endTransaction() {
	s.seenMail = false
	s.envelope.start(nil)
}

// mail opens a transaction, replacing one that is open. A bad sender is told
// at RCPT.
func (s *session) mail(arg []byte) error {
	address, ok, err := s.address(arg)
	if err != nil || !ok {
		return err
	}
	s.seenMail, s.badMail = true, s.badSender(address)
	s.envelope.start(address)
	s.reply("250 ok")
	return nil
}

// rcpt adds a recipient to the open transaction.
func (s *session) rcpt(arg []byte) error {
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
	suffix := ""
	if s.relaying {
		suffix = s.relayClient
	} else if accepted, err := s.accepts(address); err != nil {
		return errControls
	} else if !accepted {
		s.reply("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
		return nil
	}
	if s.maxRecipients > 0 && s.count >= s.maxRecipients || s.full(address, suffix) {
		s.reply("452 sorry, too many recipients (#4.5.3)")
		return nil
	}
	if s.add(address, suffix) != nil {
		return errMemory
	}
	s.reply("250 ok")
	return nil
}

// address parses the argument of MAIL or RCPT and puts control/localiphost in
// the place of one of this host's addresses. When it is not ok, the client
// has been told.
func (s *session) address(arg []byte) (address []byte, ok bool, err error) {
	address = parseAddress(arg)
	if local, host := atHost(address); s.hasIPHost && len(host) > 1 && host[1] == '[' {
		if ip, ok := scanBracketed(string(host[1:])); ok {
			own, err := localip.Addresses()
			if err != nil {
				return nil, false, errLocalIP
			}
			if localip.Is(ip, own) {
				address = []byte(string(local) + "@" + s.localIPHost)
			}
		}
	}
	if len(address) >= maxAddress {
		s.reply("555 syntax error (#5.5.4)")
		return nil, false, nil
	}
	return address, true, nil
}
