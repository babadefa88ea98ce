package site

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"time"

	"ucspi-go/internal/smtp"
)

// Timeout bounds each step of the SMTP sessions that Send plays.
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
	client := smtp.NewClient(conn, smtp.Options{Name: "client." + s.Domain, Timeout: Timeout, Extended: true})
	defer client.Quit()
	if err := client.Start(); err != nil {
		return "", err
	}
	if _, err := client.Envelope(smtp.Envelope{Sender: sender, Recipients: []string{recipient}}); err != nil {
		return "", err
	}
	answer, err := client.Data(bytes.NewReader(msg))
	var refusal *smtp.Refusal
	if errors.As(err, &refusal) && refusal.Stage == smtp.Message {
		answer, err = refusal.Reply, nil
	}
	return strings.TrimSpace(answer.Text), err
}
