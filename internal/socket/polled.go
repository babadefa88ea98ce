package socket

import "os"

// polled is a descriptor that waits in the Go runtime's poller.
type polled struct{ *os.File }

func (p polled) try(do func(fd int) (err error, done bool)) error {
	conn, err := p.SyscallConn()
	if err != nil {
		return err
	}
	var failure error
	err = conn.Write(func(fd uintptr) (done bool) {
		failure, done = do(int(fd))
		return done
	})
	if err != nil {
		return err
	}
	return failure
}
