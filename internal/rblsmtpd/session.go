package rblsmtpd

import "bytes"

// domain is what the session calls itself.
const domain = "rblsmtpd.local"

// A session is the SMTP session of a blocked client: any command gets a
// reply, and mail gets no further than the sender.
type session struct {
	conn    conn
	refusal string // the reply to RCPT, DATA and whatever is not known
	line    line   // what has come of a command
	out     []byte // replies not yet written
}

// serve greets the client and answers its commands until QUIT, the end of
// input or the deadline. A client that takes no replies may go on sending.
func (s *session) serve() {
	s.reply("220 " + domain)
	var buf [256]byte
	for s.flush() {
		n := s.conn.read(buf[:])
		if n <= 0 {
			return
		}
		if !s.take(buf[:n]) {
			s.flush()
			return
		}
	}
}

// take replies to the commands that end in p and reports whether the session
// goes on.
func (s *session) take(p []byte) bool {
	for _, b := range p {
		if b != '\n' {
			s.line.add(b)
			continue
		}
		if !s.answer(s.line.verb()) {
			return false
		}
		s.line = line{}
	}
	return true
}

// answer replies to a command and reports whether the session goes on.
func (s *session) answer(verb []byte) bool {
	switch string(verb) {
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

// A line is as much of a command line as is needed to tell its verb, in lower
// case: a client can make it as long as it likes.
type line struct {
	start [len("quit") + 2]byte // a verb, the CR, and one byte that says there is more
	n     int
}

func (l *line) add(b byte) {
	if l.n < len(l.start) {
		l.start[l.n] = lower(b)
		l.n++
	}
}

// verb returns the line up to its first blank. One CR at the end of the line
// does not count.
func (l *line) verb() []byte {
	verb, _, _ := bytes.Cut(bytes.TrimSuffix(l.start[:l.n], []byte("\r")), []byte(" "))
	return verb
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
