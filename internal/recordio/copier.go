package recordio

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A conversion is what a copier does to one direction.
type conversion struct {
	size    int                      // bytes to read at most at once
	convert func(data []byte) []byte // of what was read to what is to be written; valid until the next call
	end     func()                   // called at the end of what is read
}

// A direction is one half of a copier. It waits either for something to read
// or for a way to write what it has.
type direction struct {
	conversion
	from, to int
	write    func(fd int, data []byte) (int, error) // never waits once poll has said that to can be written
	buf      []byte
	left     []byte // to be written
}

// state is what has become of a direction.
type state int

const (
	goesOn state = iota
	ended        // nothing more to read
	broken       // cannot be written any more
)

// copy copies until the program's output ends or nobody takes it.
func (j job) copy(work func(pid string) (in, out conversion)) {
	settle(j.name)
	in, out := work(j.pid)
	syscall.SetNonblock(j.to, true) // our own end: nobody shares it
	inward := newDirection(in, j.in, j.to, syscall.Write)
	outward := newDirection(out, j.from, j.out, writer(j.out))
	for {
		fds := [2]unix.PollFd{inward.wants(), outward.wants()}
		if _, err := unix.Poll(fds[:], -1); err != nil {
			if err == syscall.EINTR {
				continue
			}
			return
		}
		// What comes from the caller goes first, as in recordio 0.88, so that
		// a record of both directions has an order.
		if fds[0].Revents != 0 {
			switch inward.step() {
			case ended:
				inward.close()
				in.end()
			case broken:
				// Unlike recordio 0.88, which ends here: a program that closes
				// its input may still have much to say.
				inward.close()
			}
		}
		if fds[1].Revents != 0 {
			switch outward.step() {
			case ended:
				out.end()
				return
			case broken:
				return
			}
		}
	}
}

func newDirection(c conversion, from, to int, write func(int, []byte) (int, error)) *direction {
	return &direction{conversion: c, from: from, to: to, write: write, buf: make([]byte, c.size)}
}

// close closes where it writes to, which ends the direction.
func (d *direction) close() {
	syscall.Close(d.to)
	d.from, d.left = -1, nil // poll passes over descriptor -1
}

// wants returns what is to be waited for.
func (d *direction) wants() unix.PollFd {
	if len(d.left) > 0 {
		return unix.PollFd{Fd: int32(d.to), Events: unix.POLLOUT}
	}
	return unix.PollFd{Fd: int32(d.from), Events: unix.POLLIN}
}

// step does what was waited for.
func (d *direction) step() state {
	if len(d.left) == 0 {
		n, err := syscall.Read(d.from, d.buf)
		switch {
		case err == syscall.EINTR || err == syscall.EAGAIN:
			return goesOn
		case err != nil || n <= 0:
			return ended
		}
		d.left = d.convert(d.buf[:n])
		return goesOn
	}
	n, err := d.write(d.to, d.left)
	switch {
	case err == syscall.EINTR || err == syscall.EAGAIN:
		return goesOn
	case err != nil:
		return broken
	}
	d.left = d.left[n:]
	return goesOn
}

// writer returns the way to write to the caller without waiting. The caller's
// descriptor must stay as it is: others may share it, or read from it.
func writer(fd int) func(int, []byte) (int, error) {
	var st syscall.Stat_t
	if syscall.Fstat(fd, &st) == nil && st.Mode&syscall.S_IFMT == syscall.S_IFSOCK {
		return send
	}
	return writeSome
}

func send(fd int, data []byte) (int, error) {
	return syscall.SendmsgN(fd, data, nil, nil, syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL)
}

// pipeBuf is what a pipe takes at once when poll says that it can be written:
// the kernel's PIPE_BUF.
const pipeBuf = 4096

func writeSome(fd int, data []byte) (int, error) {
	return syscall.Write(fd, data[:min(pipeBuf, len(data))])
}
