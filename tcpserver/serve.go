package tcpserver

import (
	"context"
	"net/netip"
	"runtime"
	"syscall"

	"ucspi-go/internal/prog"
)

// serve accepts connections on the listening socket until ctx is done; then
// closes it, and returns when all that was accepted has its program. The
// programs go on.
//
// It reaps every child of the process, so there is one server in a process
// and nothing else in it may wait for children.
func (s *Server) serve(ctx context.Context, env *prog.Env, listener int) {
	s.log = &log{env: env, v: s.Verbosity}
	s.table = newTable(s.log, s.Limit, descriptors(listener))
	s.table.inherit()
	s.table.update(s.table.status)
	go s.table.reap() // inherited ones
	for range accepting() {
		go s.accept(context.WithoutCancel(ctx), listener)
	}
	forgetStart()
	<-ctx.Done()
	s.table.close(func() {
		// Closing alone does not wake those who are in accept, and the
		// socket would listen as long as they are.
		syscall.Shutdown(listener, syscall.SHUT_RD)
		syscall.Close(listener)
	})
}

// accepting returns how many goroutines accept. A start suspends the thread
// until the program runs, one of them may be reaping, and accepting goes on
// meanwhile only if there is another. On two processors three are best: the
// slowest of a hundred connections took 0.7 of C's time, with two 0.6 to 1.3
// times, with four 1.3 to 2 times.
func accepting() int { return max(3, runtime.GOMAXPROCS(0)+1) }

// descriptors returns how many connections the server may hold open at the
// same time, all descriptors up to used being in use. Each needs its own
// descriptor and those of a lookup or a start.
func descriptors(used int) uint64 {
	const spare = 16 // resolver files, rules, the runtime's poller, inherited ones
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur < uint64(used)+spare {
		return 1
	}
	return max(1, (limit.Cur-uint64(used)-spare)/2)
}

// accept is one of the accepting goroutines. Connections about which nothing
// must be asked are decided in it; a goroutine each would cost 5 to 15 %.
func (s *Server) accept(ctx context.Context, listener int) {
	for s.table.reserve() {
		fd, sa, err := syscall.Accept4(listener, syscall.SOCK_CLOEXEC)
		if err != nil {
			s.table.unreserve()
			if err != syscall.ECONNABORTED && err != syscall.EINTR {
				pause() // no descriptors, no memory: do not spin, unlike C
			}
			continue
		}
		if s.table.accepted() {
			go s.table.settle()
		}
		remote, _ := addrPort(sa)
		if s.mayWait() {
			go s.handle(ctx, fd, remote)
		} else {
			s.handle(ctx, fd, remote)
		}
	}
}

// pause waits a tenth of a second. The runtime's timers are no good: they take
// two descriptors, of which there are none.
func pause() { syscall.Nanosleep(&syscall.Timespec{Nsec: 100e6}, nil) }

// handle decides about a connection, hands it over, and may stay to reap.
func (s *Server) handle(ctx context.Context, fd int, remote netip.AddrPort) {
	s.decide(ctx, fd, remote)
	s.table.reap()
}

func (s *Server) decide(ctx context.Context, fd int, remote netip.AddrPort) {
	defer s.table.closed()
	defer syscall.Close(fd)
	c := Conn{Remote: remote}
	s.setOptions(fd)
	if err := send(fd, s.Banner); err != nil {
		s.drop(c, "unable to print banner", err)
		return
	}
	var err error
	if c.Local, err = localAddr(fd); err != nil {
		s.drop(c, "unable to get local address", err)
		return
	}
	a, err := s.Admit(ctx, c)
	switch {
	case err != nil:
		s.drop(c, "unable to read "+s.RulesFile, err)
	case a.Decision.Deny:
		n := s.table.number()
		s.tell("deny ", n, c, a)
		s.table.ended(n, 100)
	default:
		s.start(fd, c, a)
	}
}

// drop says that a connection about which nothing was decided ends.
func (s *Server) drop(c Conn, what string, err error) {
	n := s.table.number()
	s.tellPid(n, c)
	s.log.drop(what, err)
	s.table.ended(n, 111)
}

// setOptions prepares an accepted socket. Failures are of no account.
func (s *Server) setOptions(fd int) {
	if s.ClearOptions {
		// Unlike tcpserver 0.88, which passes another option's number on Linux.
		syscall.SetsockoptString(fd, syscall.IPPROTO_IP, syscall.IP_OPTIONS, "")
	}
	if s.NoDelay {
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	}
}

// send writes text to a socket that blocks.
func send(fd int, text string) error {
	for b := []byte(text); len(b) > 0; {
		n, err := syscall.Write(fd, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
