// Package smtpsink is a small SMTP server on loopback for tests. It is a
// strict receiver, logs every byte that it understands as a command, and can
// misbehave in the ways that a client must survive.
package smtpsink

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// patience bounds each session, so that a client that hangs fails its test
// instead of stopping it.
const patience = 60 * time.Second

// A Sink serves sessions until it is closed.
type Sink struct {
	Addr netip.AddrPort

	listener net.Listener
	script   Script
	tls      *tls.Config
	sessions sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	log   []string
	ended int // sessions
	news  sync.Cond
}

// Start starts a Sink on addr, for example "127.0.0.1:0".
func Start(addr string, script Script) (*Sink, error) {
	certificate, err := SelfSigned()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("smtpsink: %w", err)
	}
	s := &Sink{
		Addr:     l.Addr().(*net.TCPAddr).AddrPort(),
		listener: l,
		script:   script,
		tls:      &tls.Config{Certificates: []tls.Certificate{certificate}},
		conns:    map[net.Conn]bool{},
	}
	s.news.L = &s.mu
	s.sessions.Go(s.accept)
	return s, nil
}

// Close stops the sink and returns when nothing of it is left.
func (s *Sink) Close() {
	s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.sessions.Wait()
}

// Finish begins no further session, waits until those that have begun are
// over, and returns what Log does.
func (s *Sink) Finish() (string, error) {
	s.listener.Close()
	s.sessions.Wait()
	return s.Log(0)
}

// Log waits until n sessions have ended and returns what all have logged, a
// line for each event:
//
//	connect          a session begins
//	MAIL FROM:<a>    a command, as it came but for its CR LF
//	| text           a line of a message, without the dot that was stuffed
//	.                a message is complete
//	tls NAME         the connection is encrypted now; NAME is the client's SNI
//	bare "text\n"    a CR or LF alone: a line that some server would break
//	cut "text"       what came last, without an end
//	end              the session is over
func (s *Sink) Log(n int) (string, error) {
	late := false
	timer := time.AfterFunc(patience, func() {
		s.mu.Lock()
		late = true
		s.mu.Unlock()
		s.news.Broadcast()
	})
	defer timer.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.ended < n && !late {
		s.news.Wait()
	}
	text := strings.Join(s.log, "")
	if s.ended < n {
		return text, fmt.Errorf("smtpsink: %d sessions, not %d: %s", s.ended, n, text)
	}
	return text, nil
}

func (s *Sink) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf(format+"\n", args...))
}

func (s *Sink) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		s.mu.Lock()
		closed := s.conns == nil
		if !closed {
			s.conns[conn] = true
		}
		s.mu.Unlock()
		if closed {
			conn.Close()
			return
		}
		s.sessions.Go(func() {
			s.note("connect")
			x := &session{sink: s, script: s.script.copy(), conn: conn, in: bufio.NewReader(conn)}
			x.serve()
			x.conn.Close()
			s.note("end")
			s.mu.Lock()
			delete(s.conns, conn)
			s.ended++
			s.mu.Unlock()
			s.news.Broadcast()
		})
	}
}

// A session is one connection.
type session struct {
	sink   *Sink
	script Script
	conn   net.Conn
	in     *bufio.Reader
}

// serve answers until the client or the script ends it.
func (x *session) serve() {
	if !x.answer("connect", "220 sink.example ESMTP") {
		return
	}
	for {
		line, ok := x.line()
		if !ok {
			return
		}
		x.sink.note("%s", line)
		verb, _, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		goesOn := x.answer(verb, replies[verb])
		switch {
		case !goesOn || verb == "QUIT":
			return
		case verb == "DATA" && x.script.last/100 == 3:
			goesOn = x.message() && x.answer(".", "250 ok")
		case verb == "STARTTLS" && x.script.last == 220:
			goesOn = x.startTLS()
		}
		if !goesOn {
			return
		}
	}
}

// replies are those to commands of which the script says nothing.
var replies = map[string]string{
	"HELO": "250 sink.example",
	"EHLO": "250 sink.example",
	"MAIL": "250 ok",
	"RCPT": "250 ok",
	"DATA": "354 go ahead",
	"QUIT": "221 bye",
}

// answer sends the answer to an event. It returns false when the session is
// to end.
func (x *session) answer(event, otherwise string) bool {
	reply, known := x.script.next(event, otherwise)
	if !known {
		reply = "502 unknown\r\n"
		x.script.last = 502
	}
	if reply == hanging {
		// Until the client loses its patience.
		io.Copy(io.Discard, x.in)
		return false
	}
	text, last := strings.CutSuffix(reply, closing)
	_, err := io.WriteString(x.conn, text)
	return err == nil && !last
}

// line returns the next line, which nothing but CR LF ends.
func (x *session) line() (line string, ok bool) {
	for {
		piece, err := x.in.ReadString('\n')
		line += piece
		if err != nil {
			if line != "" {
				x.sink.note("cut %q", line)
			}
			return "", false
		}
		if strings.HasSuffix(line, "\r\n") {
			break
		}
	}
	line = strings.TrimSuffix(line, "\r\n")
	if strings.ContainsAny(line, "\r\n") {
		x.sink.note("bare %q", line)
	}
	return line, true
}

// message reads a message to its end.
func (x *session) message() bool {
	for {
		line, ok := x.line()
		if !ok {
			return false
		}
		if line == "." {
			x.sink.note(".")
			return true
		}
		x.sink.note("| %s", strings.TrimPrefix(line, "."))
	}
}

func (x *session) startTLS() bool {
	if reply, known := x.script.next("handshake", ""); known && reply == closing {
		return false
	}
	name := ""
	config := x.sink.tls.Clone()
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		name = hello.ServerName
		return nil, nil
	}
	// What came in clear after the command belongs to the handshake here; a
	// server that is not a test must not do that.
	conn := tls.Server(&readFirst{Conn: x.conn, r: x.in}, config)
	if err := conn.Handshake(); err != nil {
		x.sink.note("tls failed")
		return false
	}
	x.sink.note("tls %s", name)
	x.conn, x.in = conn, bufio.NewReader(conn)
	return true
}

// readFirst is a connection with what a reader has taken of it.
type readFirst struct {
	net.Conn
	r io.Reader
}

func (c *readFirst) Read(p []byte) (int, error) { return c.r.Read(p) }

var errScript = errors.New("smtpsink: a line is EVENT ANSWER")
