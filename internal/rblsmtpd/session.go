package rblsmtpd

import "strings"

// domain is what the session calls itself.
const domain = "rblsmtpd.local"

// A session is the SMTP session of a blocked client: any command gets a
// reply, and mail gets no further than the sender.
type session struct {
	conn    conn
	refusal string // the reply to RCPT, DATA and whatever is not known
	out     []byte // replies not yet written
}

// serve greets the client and answers its commands until QUIT, the end of
// input or the deadline. A client that takes no replies may go on sending.
func (s *session) serve() {
	s.reply("220 " + domain)
	var l line
	var buf [256]byte
	for s.flush() {
		n := s.conn.read(buf[:])
		if n <= 0 {
			return
		}
		for _, b := range buf[:n] {
			if b != '\n' {
				l.add(b)
				continue
			}
			if !s.answer(l.verb()) {
				s.flush()
				return
			}
			l = line{}
		}
	}
}

// answer replies to a command and reports whether the session goes on.
func (s *session) answer(verb string) bool {
	switch verb {
	case "quit":
		s.reply("221 " + domain)
		return false
	case "helo", "ehlo", "mail", "rset", "noop":
		s.reply("250 " + domain)
	default:
		s.reply(s.refusal)
	}
	return true
}

func (s *session) reply(text string) {
	s.out = append(append(s.out, text...), "\r\n"...)
}

// flush writes the replies. It returns false when the deadline has come.
func (s *session) flush() bool {
	ok := s.conn.write(s.out)
	s.out = s.out[:0]
	return ok
}

// A line is as much of a command line as is needed to tell its verb: a client
// can make it as long as it likes.
type line struct {
	start [len("quit") + 2]byte // a verb, the CR, and one byte that says there is more
	n     int
}

func (l *line) add(b byte) {
	if l.n < len(l.start) {
		l.start[l.n] = b
		l.n++
	}
}

// verb returns the line up to its first blank, in lower case. One CR at the
// end of the line does not count.
func (l *line) verb() string {
	s := strings.TrimSuffix(string(l.start[:l.n]), "\r")
	s, _, _ = strings.Cut(s, " ")
	return lower(s)
}

// lower is for ASCII alone: there are letters, such as the Kelvin sign, that
// strings.ToLower makes ASCII of.
func lower(s string) string {
	b := []byte(s)
	for i, ch := range b {
		if 'A' <= ch && ch <= 'Z' {
			b[i] = ch + 'a' - 'A'
		}
	}
	return string(b)
}
