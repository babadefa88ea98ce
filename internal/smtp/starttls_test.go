package smtp_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/smtp"
)

// encrypt is a StartTLS for tests.
func encrypt(conn smtp.Conn) (smtp.Conn, error) {
	c := tls.Client(netConn{conn}, &tls.Config{ServerName: "mx.example", InsecureSkipVerify: true})
	return c, c.Handshake()
}

// netConn gives a connection the methods that crypto/tls does not use.
type netConn struct{ smtp.Conn }

func (netConn) LocalAddr() net.Addr { return nil }

func (netConn) RemoteAddr() net.Addr { return nil }

func (c netConn) SetReadDeadline(time.Time) error { return nil }

func (c netConn) SetWriteDeadline(time.Time) error { return nil }

func TestStartTLS(t *testing.T) {
	t.Parallel()
	options := smtp.Options{Extended: true, StartTLS: encrypt}
	const offer = `EHLO 250-sink\n250 STARTTLS` + "\n"
	for _, tt := range []struct{ name, script, outcome, log string }{
		{"encrypted", offer + `EHLO 250-sink\n250 SIZE` + "\nSTARTTLS 220 go", "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\nSTARTTLS\ntls mx.example\nEHLO me.example\nMAIL FROM:<> SIZE=9\nRCPT TO:<b@example.com>\nDATA\n| text\n.\nQUIT\n"},
		{"offered in clear alone counts for nothing", `EHLO 250-sink\n250-STARTTLS\n250 SIZE` + "\nEHLO 250 sink\nSTARTTLS 220 go", "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\nSTARTTLS\ntls mx.example\nEHLO me.example\n" + envelop + "DATA\n| text\n.\nQUIT\n"},
		{"not offered", "EHLO 250 sink", "rcpt 250, sent: 250 ok\n", "EHLO me.example\n" + envelop + "DATA\n| text\n.\nQUIT\n"},
		{"refused", offer + "STARTTLS 454 no", "rcpt 250, sent: 250 ok\n", "EHLO me.example\nSTARTTLS\n" + envelop + "DATA\n| text\n.\nQUIT\n"},
		{"refused for good", offer + "STARTTLS 502 no", "rcpt 250, sent: 250 ok\n", "EHLO me.example\nSTARTTLS\n" + envelop + "DATA\n| text\n.\nQUIT\n"},
		{"closed at STARTTLS", offer + "STARTTLS close", "lost, sent false", "EHLO me.example\nSTARTTLS\n"},
		{"closed in the handshake", offer + "STARTTLS 220 go\nhandshake close", "no TLS", "EHLO me.example\nSTARTTLS\n"},
		{"closed after the handshake", offer + "EHLO close\nSTARTTLS 220 go", "lost, sent false", "EHLO me.example\nSTARTTLS\ntls mx.example\nEHLO me.example\n"},
		{"answers put in before the handshake", offer + `STARTTLS 220 go\n250 injected` + "\nhandshake close", "smtp: STARTTLS: smtp: the server speaks out of turn", "EHLO me.example\nSTARTTLS\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome, log := talk{script: tt.script, options: options, mail: smtp.Envelope{Size: 9}}.run(t)
			if outcome != tt.outcome || log != tt.log {
				t.Errorf("%q, log\n%swant %q,\n%s", outcome, log, tt.outcome, tt.log)
			}
		})
	}
	if outcome, log := (talk{script: offer, options: smtp.Options{Extended: true}}).run(t); outcome != "rcpt 250, sent: 250 ok\n" || strings.Contains(log, "STARTTLS") {
		t.Errorf("without StartTLS: %q, log\n%s", outcome, log)
	}
}
