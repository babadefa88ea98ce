package site

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"time"
)

// Timeout bounds each SMTP session that Send plays.
const Timeout = 60 * time.Second

// Send gives msg, with LF line ends, to the server as a client at the
// loopback address from would, and returns the reply to its end of data.
// An earlier refusal is the error.
func (s *Site) Send(from, sender, recipient string, msg []byte) (reply string, err error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: Timeout}
	conn, err := d.Dial("tcp", s.Addr)
	if err != nil {
		return "", err
	}
	conn.SetDeadline(time.Now().Add(Timeout))
	c := textproto.NewConn(conn)
	defer c.Close()
	if _, _, err := c.ReadResponse(220); err != nil {
		return "", err
	}
	for _, step := range []struct {
		expect int
		line   string
	}{
		{250, "EHLO client." + s.Domain},
		{250, "MAIL FROM:<" + sender + ">"},
		{250, "RCPT TO:<" + recipient + ">"},
		{354, "DATA"},
	} {
		if err := c.PrintfLine("%s", step.line); err != nil {
			return "", err
		}
		if _, _, err := c.ReadResponse(step.expect); err != nil {
			return "", fmt.Errorf("%s: %w", step.line, err)
		}
	}
	w := c.DotWriter()
	if _, err := w.Write(msg); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	code, text, err := c.ReadResponse(0)
	if err != nil {
		return "", err
	}
	reply = fmt.Sprintf("%d %s", code, text)
	if err := c.PrintfLine("QUIT"); err != nil {
		return reply, nil // the message's own reply stands
	}
	c.ReadResponse(221)
	return strings.TrimSpace(reply), nil
}
