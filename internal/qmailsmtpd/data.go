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
	if s.count == 0 {
		s.reply("503 RCPT first (#5.5.1)")
		return nil
	}
	defer s.endTransaction()
	q, err := s.open()
	if err != nil {
		s.reply("451 qqt failure (#4.3.0)")
		return nil
	}
	s.reply("354 go ahead")
	s.field = s.appendReceived(s.field[:0], time.Now())
	q.put(s.field)
	var size uint64
	hops, err := copyData(s.in, func(piece []byte) {
		size += uint64(len(piece))
		if s.tooBig(size) {
			q.spoil()
		}
		q.put(piece)
	})
	if err != nil {
		q.abandon()
		return err
	}
	if hops >= maxHops {
		q.spoil()
	}
	reply, pid := q.finish(&s.envelope)
	switch {
	case reply == "":
		s.reply("250 ok " + strconv.FormatInt(time.Now().Unix(), 10) + " qp " + strconv.Itoa(pid))
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

// appendReceived appends the Received field that this host puts on top, as
// netqmail's received.c.
func (s *session) appendReceived(b []byte, now time.Time) []byte {
	b = appendSafe(append(b, "Received: from "...), s.remoteHost)
	if s.fakeHelo {
		b = append(appendSafe(append(b, " (HELO "...), s.helo), ')')
	}
	b = append(b, " ("...)
	if s.hasInfo {
		b = append(appendSafe(b, s.remoteInfo), '@')
	}
	b = append(appendSafe(b, s.remoteIP), ")\n  by "...)
	return append(appendSafe(b, s.local), " with SMTP; "+qmail.Date(now)+"\n"...)
}

// appendSafe appends s, with question marks in the place of what could break a
// header field.
func appendSafe[T string | []byte](b []byte, s T) []byte {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte(".@%+/=:-[]", c) >= 0:
		default:
			c = '?'
		}
		b = append(b, c)
	}
	return b
}
