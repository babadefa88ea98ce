package rblsmtpd

import (
	"os"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/socket"
)

// maxWrite is the most that one write sends, in bytes: poll promises room for
// some bytes, and a larger write could outlast the deadline.
const maxWrite = 4096

// A conn reads and writes inherited descriptors up to a deadline. It polls
// before each call: the descriptors are pipes or sockets, and they stay in
// blocking mode, since other processes may share them.
type conn struct {
	in, out  int       // -1 for none
	deadline time.Time // of all together; zero for none
}

// read returns the count of bytes read, 0 or less at the end of input, when
// reading fails, and at the deadline.
func (c *conn) read(p []byte) int {
	for c.in >= 0 && c.wait(c.in, unix.POLLIN) {
		n, err := unix.Read(c.in, p)
		if err != unix.EINTR && err != unix.EAGAIN {
			return n
		}
	}
	return 0
}

// write returns false when the deadline has come. Bytes that cannot be
// written are forgotten, as C forgets them.
func (c *conn) write(p []byte) bool {
	for len(p) > 0 && c.out >= 0 {
		if !c.wait(c.out, unix.POLLOUT) {
			return false
		}
		n, err := unix.Write(c.out, p[:min(len(p), maxWrite)])
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return true
		default:
			p = p[n:]
		}
	}
	return true
}

// wait waits until fd is ready for event. It returns false at the deadline.
func (c *conn) wait(fd int, event int16) bool {
	return socket.Wait(fd, event, c.deadline) != os.ErrDeadlineExceeded
}
