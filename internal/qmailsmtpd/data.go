package qmailsmtpd

import (
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/qmail"
)

// maxHops is the number of hops from which a message is held to be looping.
const maxHops = 100

// data receives a message and hands it to the queue program. Its error ends
// the session; the queue program then sees a message and an envelope that end
// early.
func (s *session) data() error {
	if !s.seenMail {
		s.reply("503 MAIL first (#5.5.1)")
		return nil
	}
	if len(s.envelope) == 0 {
		s.reply("503 RCPT first (#5.5.1)")
		return nil
	}
	s.seenMail = false
	q, err := openQueue(s.queue, s.home, s.environ)
	if err != nil {
		s.reply("451 qqt failure (#4.3.0)")
		return nil
	}
	s.reply("354 go ahead")
	q.put([]byte(s.received(time.Now())))
	var size uint64
	hops, err := copyData(s.in, func(piece []byte) {
		size += uint64(len(piece))
		q.failed = q.failed || s.tooBig(size)
		q.put(piece)
	})
	if err != nil {
		q.abandon()
		return err
	}
	q.failed = q.failed || hops >= maxHops
	reply := q.finish(s.queueEnvelope())
	switch {
	case reply == "":
		s.reply("250 ok " + strconv.FormatInt(time.Now().Unix(), 10) + " qp " + strconv.Itoa(q.pid))
	case hops >= maxHops:
		s.reply("554 too many hops, this message is looping (#5.4.6)")
	case s.tooBig(size):
		s.reply("552 sorry, that message size exceeds my databytes limit (#5.3.4)")
	default:
		s.reply(reply)
	}
	return nil
}

func (s *session) tooBig(size uint64) bool { return s.dataBytes > 0 && size > s.dataBytes }

// queueEnvelope returns the envelope of the transaction as descriptor 1 of
// the queue program carries it.
func (s *session) queueEnvelope() []byte {
	b := make([]byte, 0, len(s.sender)+len(s.envelope)+3)
	b = append(append(append(b, 'F'), s.sender...), 0)
	return append(append(b, s.envelope...), 0)
}

// received returns the Received field that this host puts on top, as
// netqmail's received.c.
func (s *session) received(now time.Time) string {
	var b strings.Builder
	b.WriteString("Received: from " + safe(s.remoteHost))
	if s.fakeHelo {
		b.WriteString(" (HELO " + safe(s.helo) + ")")
	}
	b.WriteString(" (")
	if s.hasInfo {
		b.WriteString(safe(s.remoteInfo) + "@")
	}
	b.WriteString(safe(s.remoteIP) + ")\n  by " + safe(s.local) + " with SMTP; " + qmail.Date(now) + "\n")
	return b.String()
}

// safe replaces what could break a header field by question marks.
func safe(s string) string {
	b := []byte(s)
	for i, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte(".@%+/=:-[]", c) >= 0:
		default:
			b[i] = '?'
		}
	}
	return string(b)
}
