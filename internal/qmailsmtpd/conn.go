package qmailsmtpd

import (
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// maxWrite is the most that one write sends, in bytes: poll promises room for
// some bytes, and a larger write could block for longer than the timeout.
const maxWrite = 4096

// A conn reads and writes inherited descriptors with a timeout. It polls
// before each call, because descriptors must stay in blocking mode: other
// processes share them.
type conn struct {
	in, out int
	timeout time.Duration // for each read and each write
}

// Read returns errTimeout when nothing comes in time.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if err := c.wait(c.in, unix.POLLIN); err != nil {
			return 0, err
		}
		n, err := unix.Read(c.in, p)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write fails when the client does not take the bytes in time; no reply can
// reach it then, so that this is no errTimeout.
func (c *conn) Write(p []byte) (done int, err error) {
	for done < len(p) {
		if c.wait(c.out, unix.POLLOUT) != nil {
			return done, unix.ETIMEDOUT
		}
		n, err := unix.Write(c.out, p[done:min(len(p), done+maxWrite)])
		if err == unix.EINTR || err == unix.EAGAIN {
			continue
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// wait waits until fd is ready for event. A hangup or an error counts as
// ready: the call that follows reports it.
func (c *conn) wait(fd int, event int16) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: event}}
	deadline := time.Now().Add(c.timeout)
	for {
		n, err := unix.Poll(fds, int(max(0, time.Until(deadline)).Milliseconds())+1)
		switch {
		case n > 0:
			return nil
		case err == unix.EINTR:
		case err != nil:
			return err
		case time.Now().After(deadline):
			return errTimeout
		}
	}
}

// writer hides that conn reads, too: bufio would copy from it.
type writer struct{ io.Writer }
