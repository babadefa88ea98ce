package qmailsmtpd

import (
	"bytes"
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
//
// The timeout is for a line, or a piece of replies, and not for a byte of it:
// otherwise a client could hold a session for ever without saying anything,
// or by not listening. Time in which nobody waits for the client is not counted.
type conn struct {
	in, out int
	timeout time.Duration
	coming  allowance // for a line, or as much of it as the longest command has
	going   allowance // for maxWrite bytes
}

// allowance is what is left of a timeout.
type allowance struct {
	left  time.Duration
	bytes int // that have passed meanwhile; 0: the timeout starts anew
}

// pass counts n bytes. The timeout starts anew after most of them, or at end.
func (a *allowance) pass(n, most int, end bool) {
	if a.bytes += n; a.bytes >= most || end {
		a.bytes = 0
	}
}

// wait waits until fd is ready for event, and takes the time that this lasts
// from the allowance. A hangup or an error counts as ready: the call that
// follows reports it.
func (a *allowance) wait(timeout time.Duration, fd int, event int16) error {
	if a.bytes == 0 {
		a.left = timeout
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: event}}
	since := time.Now()
	deadline := since.Add(a.left)
	defer func() { a.left -= time.Since(since) }()
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

// Read returns errTimeout when nothing comes in time, or no line.
func (c *conn) Read(p []byte) (int, error) {
	for {
		if err := c.coming.wait(c.timeout, c.in, unix.POLLIN); err != nil {
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
			c.coming.pass(n, maxLine, bytes.IndexByte(p[:n], '\n') >= 0)
			return n, nil
		}
	}
}

// Write fails when the client does not take the bytes in time; no reply can
// reach it then, so that this is no errTimeout.
func (c *conn) Write(p []byte) (done int, err error) {
	for done < len(p) {
		if c.going.wait(c.timeout, c.out, unix.POLLOUT) != nil {
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
		c.going.pass(n, maxWrite, false)
	}
	return done, nil
}

// writer hides that conn reads, too: bufio would copy from it.
type writer struct{ io.Writer }
