package tcpserver

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// listenVariables are how systemd passes sockets: sd_listen_fds(3).
var listenVariables = []string{"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"}

// firstListenFd is the first of LISTEN_FDS descriptors.
const firstListenFd = 3

// inherit takes over what the process was started with for its sake.
func (s *Server) inherit(env *prog.Env, port uint16) (err error) {
	var environ rules.Environ
	if s.before, environ, err = s.takeOver(env.Environ); err != nil {
		return err
	}
	if s.before != nil {
		s.listener, s.shared = s.before.listener, s.before.shared
	} else {
		if s.ready, err = s.readyDescriptor(env); err != nil {
			return err
		}
		if s.listener, environ, err = s.given(environ, port); err != nil {
			return err
		}
		s.shared = s.listener != unset
	}
	s.notify, s.Environ = notifierOf(environ)
	return nil
}

// given returns the listening socket that the process was started with, by
// -W socket or by LISTEN_FDS for this process, and the environment without
// the latter; fd is unset when there is none. Of several it is the first with
// the port, any for port 0. The programs get none of these descriptors.
func (w *supervision) given(e rules.Environ, port uint16) (fd int, environ rules.Environ, err error) {
	if w.socket != unset {
		fd, err = take(w.socket, port)
		if err != nil {
			err = prog.Fatal(111, "unable to use descriptor "+strconv.Itoa(w.socket), err)
		}
		return fd, e, err
	}
	n := passed(e)
	if n == 0 {
		return unset, e, nil
	}
	fd = unset
	for i := range n {
		if fd == unset {
			fd, err = take(firstListenFd+i, port)
		}
		if fd != firstListenFd+i {
			syscall.Close(firstListenFd + i)
		}
	}
	if fd == unset {
		return fd, e, prog.Fatal(111, "unable to use LISTEN_FDS", err)
	}
	return fd, e.Without(listenVariables...), nil
}

// passed returns how many sockets LISTEN_FDS passes to this process.
func passed(e rules.Environ) int {
	pid, set := e.Lookup("LISTEN_PID")
	if !set || pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	const most = 1000
	count, _ := e.Lookup("LISTEN_FDS")
	n, digits := prog.Number(count)
	if digits != len(count) || n > most {
		return 0
	}
	return int(n)
}

// take returns the descriptor for the listening socket fd that the server
// keeps: fd itself, or another one if that is one of the standard ones, which
// closeStandard is about to give up.
func take(fd int, port uint16) (int, error) {
	listens, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ACCEPTCONN)
	if err != nil {
		return unset, err
	}
	if listens == 0 {
		return unset, errors.New("it does not listen")
	}
	local, err := localAddr(fd)
	if err != nil {
		return unset, err
	}
	if port != 0 && local.Port() != port {
		return unset, errors.New("it listens on port " + strconv.Itoa(int(local.Port())))
	}
	return keep(fd)
}

// keep returns a descriptor for what fd is, that is not a standard one and
// that no program gets.
func keep(fd int) (int, error) {
	if fd > 2 {
		syscall.CloseOnExec(fd)
		return fd, nil
	}
	return unix.FcntlInt(uintptr(fd), syscall.F_DUPFD_CLOEXEC, firstListenFd)
}
