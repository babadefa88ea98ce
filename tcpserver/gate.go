package tcpserver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// gate is where connections wait when accept must not be what waits: it could
// not be left without shutting the socket down, and whoever shares it would
// be shut out too. The socket does not block, for all who share it.
type gate struct {
	listener  int
	shut, end int // pipe: shut hears that end is closed
}

func newGate(listener int) (*gate, error) {
	if err := syscall.SetNonblock(listener, true); err != nil {
		return nil, err
	}
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, err
	}
	return &gate{listener, p[0], p[1]}, nil
}

// wait waits until a connection can be accepted or the gate is closed.
func (g *gate) wait() error {
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(g.listener), Events: unix.POLLIN}, {Fd: int32(g.shut)}}, -1)
	return err
}

// close has everybody leave.
func (g *gate) close() { syscall.Close(g.end) }

// free gives up the rest when everybody has left.
func (g *gate) free() { syscall.Close(g.shut) }

// next accepts a connection for which there is a reservation. The error EAGAIN
// says that it is another's now, or must wait.
func (s *Server) next() (fd int, sa syscall.Sockaddr, err error) {
	if s.gate != nil {
		if err := s.gate.wait(); err != nil {
			return -1, nil, err
		}
		if !s.table.mayAccept() {
			return -1, nil, syscall.EAGAIN
		}
	}
	return syscall.Accept4(s.listener, syscall.SOCK_CLOEXEC)
}
