package tcpserver

import (
	"cmp"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// notifyVariable names the socket of a supervisor: sd_notify(3).
const notifyVariable = "NOTIFY_SOCKET"

// notifier tells a supervisor how the server is, as sd_notify(3).
type notifier string

// notifierOf returns the notifier that the environment names, empty for none,
// and the environment without it.
func notifierOf(environ rules.Environ) (notifier, rules.Environ) {
	name, _ := environ.Lookup(notifyVariable)
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return "", environ
	}
	return notifier(name), environ.Without(notifyVariable)
}

// tell sends a state, such as "READY=1".
func (n notifier) tell(state string) error {
	if n == "" {
		return nil
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return syscall.Sendto(fd, []byte(state), syscall.MSG_NOSIGNAL, &syscall.SockaddrUnix{Name: string(n)})
}

// readyDescriptor returns the descriptor of -W ready that the server keeps,
// unset for none. It must be called before the server opens any of its own.
func (w *supervision) readyDescriptor(env *prog.Env) (fd int, err error) {
	if w.readyFd == unset {
		return unset, nil
	}
	err = syscall.EBADF
	if env.Fd(w.readyFd) != nil {
		fd, err = keep(w.readyFd)
	}
	if err != nil {
		return unset, prog.Fatal(111, "unable to use -W ready", err)
	}
	return fd, nil
}

// sayReady tells who wants to know that connections are accepted: a newline
// as s6 wants it, and the end of what it is written to. Who has heard it of
// this process is not told again.
func (s *Server) sayReady() {
	if s.before != nil {
		return
	}
	err := s.notify.tell("READY=1")
	if s.ready != unset {
		_, e := syscall.Write(s.ready, []byte("\n"))
		syscall.Close(s.ready)
		err = cmp.Or(err, e)
	}
	if err != nil {
		s.log.warn("unable to say that the server is ready", err)
	}
}
