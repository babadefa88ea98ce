package socket

import (
	"context"
	"io"
	"math"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Direct returns a context whose sockets wait in the kernel, each with a
// thread of its own, instead of in the Go runtime's poller. That is for the
// programs that live for one connection: the poller takes two descriptors, and
// the runtime ends the program with a trace when it cannot have them. Only the
// deadline of the context ends such a wait, and Until sets one without a
// timer, which would start the poller.
func Direct(ctx context.Context) context.Context {
	return context.WithValue(ctx, directKey{}, true)
}

type directKey struct{}

func isDirect(ctx context.Context) bool { return ctx.Value(directKey{}) != nil }

// Until returns a context with a deadline that has no timer: from the deadline
// on Err says so, and the calls of sockets fail, but nothing is told of it.
func Until(ctx context.Context, deadline time.Time) context.Context {
	if t, ok := ctx.Deadline(); ok && t.Before(deadline) {
		deadline = t
	}
	return until{ctx, deadline}
}

// Within returns a context that ends after d, and what forgets it before: with
// a timer, as context.WithTimeout, unless it is Direct, when Until has to do.
func Within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if isDirect(ctx) {
		return Until(ctx, time.Now().Add(d)), func() {}
	}
	return context.WithTimeout(ctx, d)
}

type until struct {
	context.Context
	deadline time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.deadline, true }

func (u until) Err() error {
	if err := u.Context.Err(); err != nil || time.Now().Before(u.deadline) {
		return err
	}
	return context.DeadlineExceeded
}

// Wait waits until fd is ready for events of poll(2), which a hangup and an
// error are too: the call that follows reports them. The error is
// os.ErrDeadlineExceeded after the deadline, ready or not; a zero deadline is
// none.
func Wait(fd int, events int16, deadline time.Time) error {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		timeout := -1
		if !deadline.IsZero() {
			left := time.Until(deadline)
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			timeout = int(min(left.Milliseconds()+1, math.MaxInt32))
		}
		n, err := unix.Poll(fds, timeout)
		if n > 0 {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
	}
}

// direct is a descriptor that waits in the kernel.
type direct struct {
	fd       int
	deadline time.Time
}

func (d *direct) Read(p []byte) (n int, err error) {
	err = d.when(unix.POLLIN, func() error {
		n, err = syscall.Read(d.fd, p)
		return err
	})
	if err != nil {
		return 0, err
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d *direct) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		err = d.when(unix.POLLOUT, func() error {
			more, err := syscall.Write(d.fd, p[n:])
			n += max(more, 0)
			return err
		})
	}
	return n, err
}

func (d *direct) try(do func(fd int) (err error, done bool)) error {
	return d.when(unix.POLLOUT, func() error {
		err, done := do(d.fd)
		if !done {
			return syscall.EAGAIN
		}
		return err
	})
}

// when calls do, each time the socket may have become ready for events, until
// it fails otherwise than for want of that.
func (d *direct) when(events int16, do func() error) error {
	for {
		err := do()
		switch err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			if err := Wait(d.fd, events, d.deadline); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

func (d *direct) Close() error { return syscall.Close(d.fd) }

func (d *direct) SetDeadline(t time.Time) error {
	d.deadline = t
	return nil
}
