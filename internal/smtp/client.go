// Package smtp is the client side of SMTP: replies are read with limits, and
// a message is sent so that no server can see a command in it.
package smtp

import (
	"bufio"
	"errors"
	"io"
	"time"
)

// A Conn is a connection to a server.
type Conn interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// Options say how a Client speaks.
type Options struct {
	Name    string        // of this host, for HELO
	Timeout time.Duration // for each reply as a whole, and for each write; 0 means that the connection has its own

	// Extended makes EHLO the first command, and of what the server offers
	// PIPELINING, SIZE, 8BITMIME and SMTPUTF8 are used. A server that does not
	// know it is greeted with HELO.
	Extended bool

	// StartTLS, unless nil, encrypts the connection to a server that offers
	// STARTTLS. It closes nothing when it fails.
	StartTLS func(Conn) (Conn, error)
}

// A Client speaks SMTP to one server. Its methods are called in the order
// Start, Envelope, Data, Quit; after an error only Quit makes sense.
// Errors are *Refusal, *Lost, *TLSError and *MessageError.
type Client struct {
	options Options
	conn    Conn
	in      *Reader
	out     *bufio.Writer
	offers  map[string]bool // what the server's reply to EHLO lists, in upper case
	wild    bool            // the server has said something that is no reply
	ended   bool            // there is nothing more to say: not even QUIT
}

// A Stage is what a server refused.
type Stage int

const (
	Greeting   Stage = iota // the connection, in its greeting
	Hello                   // the name in HELO
	Sender                  // MAIL
	Recipients              // every RCPT
	Command                 // DATA
	Message                 // the message, after its last line
)

// A Refusal is the error of a server that says no, or nothing that means yes.
type Refusal struct {
	Stage Stage
	Reply Reply // for Recipients that of the last one
}

func (r *Refusal) Error() string { return "smtp: refused: " + r.Reply.Text }

// Lost is the error of a connection that broke.
type Lost struct {
	MaybeSent bool // the message was sent, and its reply did not come
	Err       error
}

func (l *Lost) Error() string { return "smtp: connection lost: " + l.Err.Error() }
func (l *Lost) Unwrap() error { return l.Err }

// A TLSError is the error of StartTLS. The server may understand another
// connection without.
type TLSError struct{ Err error }

func (e *TLSError) Error() string { return "smtp: STARTTLS: " + e.Err.Error() }
func (e *TLSError) Unwrap() error { return e.Err }

// A MessageError is the error of a message that could not be read, or
// ErrPartialLine. The server has a part of it and will forget that.
type MessageError struct{ Err error }

func (e *MessageError) Error() string { return "smtp: message: " + e.Err.Error() }
func (e *MessageError) Unwrap() error { return e.Err }

var errOutOfTurn = errors.New("smtp: the server speaks out of turn")

// outBuffer is the size in bytes of the largest write.
const outBuffer = 8 << 10

// NewClient returns a Client for a connection that was just made. The Client
// closes it.
func NewClient(conn Conn, o Options) *Client {
	c := &Client{options: o}
	c.speakOver(conn)
	return c
}

func (c *Client) speakOver(conn Conn) {
	c.conn = conn
	c.in = NewReader(conn)
	c.out = bufio.NewWriterSize(deadlineWriter{c}, outBuffer)
}

// deadlineWriter gives each write the time of the options, and hides the
// other methods of a connection from bufio.
type deadlineWriter struct{ c *Client }

func (w deadlineWriter) Write(p []byte) (done int, err error) {
	for done < len(p) && err == nil {
		var n int
		w.c.startTimer()
		n, err = w.c.conn.Write(p[done:min(len(p), done+outBuffer)])
		done += n
	}
	return done, err
}

func (c *Client) startTimer() {
	if c.options.Timeout > 0 {
		c.conn.SetDeadline(time.Now().Add(c.options.Timeout))
	}
}

// reply waits for a reply, for which there is as much time as the options say
// however slowly it comes.
func (c *Client) reply() (Reply, error) {
	err := c.out.Flush()
	if err != nil {
		return Reply{}, c.lost(err)
	}
	c.startTimer()
	reply, err := c.in.Read()
	if err != nil {
		return Reply{}, c.lost(err)
	}
	c.wild = reply.Code == 0
	return reply, nil
}

func (c *Client) lost(err error) *Lost {
	c.ended = true
	return &Lost{Err: err}
}

// command begins a command. An answer that is there before its command would
// stand for another one, and may come from somebody who sits in between.
func (c *Client) command(words ...string) error {
	if c.wild || c.in.early() {
		return c.lost(errOutOfTurn)
	}
	c.write(words...)
	return nil
}

// write buffers a command; a failure shows when it is flushed.
func (c *Client) write(words ...string) {
	for _, word := range words {
		c.out.WriteString(word)
	}
	c.out.Write(crlf)
}

// ask sends a command and returns its reply.
func (c *Client) ask(words ...string) (Reply, error) {
	if err := c.command(words...); err != nil {
		return Reply{}, err
	}
	return c.reply()
}

// Quit sends QUIT, unless the server could take it for something else, and
// closes the connection. The reply is not waited for.
func (c *Client) Quit() {
	if !c.ended {
		c.write("QUIT")
		_ = c.out.Flush()
	}
	c.conn.Close()
}
