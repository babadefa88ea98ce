package smtp

import (
	"context"
	"net/netip"
	"syscall"
	"time"

	"ucspi-go/internal/socket"
)

// Dial connects to a server within a time, after which the error is
// os.ErrDeadlineExceeded. The connection waits as its context has it; see
// socket.Direct.
func Dial(ctx context.Context, server netip.AddrPort, timeout time.Duration) (*socket.Conn, error) {
	conn, err := socket.Open(ctx, syscall.SOCK_STREAM, server)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(timeout))
	if err = conn.Connect(); err == nil {
		// The end of a message is not to wait for a delayed acknowledgement.
		err = conn.NoDelay()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
