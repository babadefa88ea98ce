package qmailremote

import (
	"crypto/tls"
	"net"
	"time"

	"ucspi-go/internal/smtp"
)

// startTLS returns what encrypts a connection to a server. The certificate is
// not looked at: without a policy for the domain the other choice is to send
// in clear, so that a stranger's certificate is no worse than none. RFC 7435.
func startTLS(name string) func(smtp.Conn) (smtp.Conn, error) {
	return func(conn smtp.Conn) (smtp.Conn, error) {
		c := tls.Client(netConn{conn}, &tls.Config{ServerName: name, InsecureSkipVerify: true})
		return c, c.Handshake()
	}
}

// netConn has the methods that crypto/tls does not call for a client whose
// deadlines are for both directions.
type netConn struct{ smtp.Conn }

func (netConn) LocalAddr() net.Addr                { return nil }
func (netConn) RemoteAddr() net.Addr               { return nil }
func (c netConn) SetReadDeadline(time.Time) error  { return nil }
func (c netConn) SetWriteDeadline(time.Time) error { return nil }
