package testprog

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ucspi-go/internal/smtp"
)

// smtpCommand is the script command "smtp FILE": it plays an SMTP dialogue
// against 127.0.0.1:$PORT and prints the server's replies. With "!" it wants
// the dialogue to break off: no connection, or no reply to a command.
func smtpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: smtp FILE")
	}
	conn, err := net.DialTimeout("tcp4", "127.0.0.1:"+ts.Getenv("PORT"), smtpPatience)
	if err == nil {
		err = PlaySMTP(conn, ts.ReadFile(args[0]), ts.Stdout())
	}
	switch {
	case neg && err == nil:
		ts.Fatalf("smtp: the dialogue went through")
	case !neg:
		ts.Check(err)
	}
}

// smtpPatience bounds a whole dialogue, so that a server that hangs fails its
// test instead of stopping it.
const smtpPatience = 60 * time.Second

// PlaySMTP plays a dialogue over conn, copies the server's replies to
// replies, with LF line ends, and closes conn.
//
// The greeting is waited for first. Each line of the dialogue is then sent
// with CR LF and its reply waited for. After a DATA that was answered 354 the
// lines up to "." are the message, sent as they are, so that the dialogue
// stuffs its own dots; after another answer they are left out. A line that is
// a Go string literal in double quotes is sent as that string says, with
// nothing added and no reply waited for; a line "<" waits for one more reply.
// So several commands go in one packet:
//
//	"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\n"
//	<
//	<
//
// At its end the sending side is closed and the rest is read. An error says
// that the server ended the dialogue before its last line.
func PlaySMTP(conn net.Conn, dialogue string, replies io.Writer) error {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(smtpPatience))
	p := &smtpPlayer{conn: conn, in: smtp.NewReader(conn), replies: replies}
	if _, err := p.reply(); err != nil {
		return err
	}
	for line := range strings.Lines(dialogue) {
		if err := p.play(strings.TrimSuffix(line, "\n")); err != nil {
			p.rest()
			return fmt.Errorf("smtp: %q: %w", line, err)
		}
	}
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	return p.rest()
}

type smtpPlayer struct {
	conn    net.Conn
	in      *smtp.Reader
	replies io.Writer
	inData  bool // lines are the message's
	skip    bool // the message is not wanted
}

func (p *smtpPlayer) play(line string) error {
	if p.skip {
		p.skip = line != "."
		return nil
	}
	if raw, err := strconv.Unquote(line); err == nil && line[0] == '"' {
		_, err := io.WriteString(p.conn, raw)
		return err
	}
	if line == "<" && !p.inData {
		_, err := p.reply()
		return err
	}
	if _, err := io.WriteString(p.conn, line+"\r\n"); err != nil {
		return err
	}
	if p.inData && line != "." {
		return nil
	}
	p.inData = false
	code, err := p.reply()
	if strings.EqualFold(line, "data") {
		p.inData = code == 354
		p.skip = !p.inData
	}
	return err
}

// reply copies one reply, which may have several lines, and returns its code.
func (p *smtpPlayer) reply() (code int, err error) {
	reply, err := p.in.Read()
	io.WriteString(p.replies, reply.Text)
	return reply.Code, err
}

// rest copies what the server still says until it closes the connection. A
// server that closes with input unread resets it, which is an end as well.
func (p *smtpPlayer) rest() error {
	for {
		_, err := p.reply()
		var timeout net.Error
		switch {
		case err == nil:
		case errors.As(err, &timeout) && timeout.Timeout():
			return err
		default:
			return nil
		}
	}
}
