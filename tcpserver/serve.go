package tcpserver

import (
	"context"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
	"ucspi-go/rules"
)

// serve accepts connections on the listening socket until ctx is done; then
// closes it, and returns when all that was accepted has its program. The
// programs go on, unless -W drain has it wait for them.
//
// It reaps every child of the process, so there is one server in a process
// and nothing else in it may wait for children.
func (s *Server) serve(ctx context.Context, env *prog.Env, o orders) {
	if s.before != nil {
		s.table.restore(s.before)
	} else {
		s.table.inherit()
	}
	s.table.update(s.table.status)
	go s.table.reap() // inherited ones
	for range accepting() {
		go s.accept(context.WithoutCancel(ctx))
	}
	forgetStart()
	for s.obey(ctx, o) {
		s.renew(env, o)
	}
	_ = s.notify.tell("STOPPING=1")
	s.stop()
	if s.drain {
		s.waitForPrograms(o)
	}
}

// stop ends accepting. Closing alone does not wake those who are in accept,
// and the socket would listen as long as they are.
func (s *Server) stop() {
	if s.gate == nil {
		s.table.close(!s.drain, func() {
			syscall.Shutdown(s.listener, syscall.SHUT_RD)
			syscall.Close(s.listener)
		}, func() {})
		return
	}
	s.table.close(!s.drain, func() {
		if !s.shared {
			syscall.Shutdown(s.listener, syscall.SHUT_RD)
		}
		s.gate.close()
	}, func() { syscall.Close(s.listener) })
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
func (s *Server) accept(ctx context.Context) {
	for s.table.reserve() {
		fd, sa, err := s.next()
		if err != nil {
			s.table.unreserve()
			if err != syscall.ECONNABORTED && err != syscall.EINTR && err != syscall.EAGAIN {
				pause() // no descriptors, no memory: do not spin, unlike C
			}
			continue
		}
		if s.table.accepted() {
			go s.table.settle()
		}
		remote, _ := socket.AddrPort(sa)
		if s.mayWait() || s.proxies() {
			go s.handle(ctx, fd, remote)
		} else {
			s.handle(ctx, fd, remote)
		}
	}
}

// pause waits a tenth of a second. The runtime's timers are no good: they take
// two descriptors, of which there are none.
func pause() { syscall.Nanosleep(&syscall.Timespec{Nsec: 100e6}, nil) }

// handle decides about a connection, hands it over, and may stay to reap. A
// proxy's is given to another goroutine: the accepting ones do not wait.
func (s *Server) handle(ctx context.Context, fd int, remote netip.AddrPort) {
	if c, patience := s.decide(ctx, fd, remote); patience > 0 {
		go func() {
			s.decideProxied(ctx, fd, c, patience)
			s.leave(fd)
		}()
		return
	}
	s.leave(fd)
}

// leave gives up a connection that was handed over, or was not worth it.
func (s *Server) leave(fd int) {
	syscall.Close(fd)
	s.table.closed()
	s.table.reap()
}

// decide decides about a connection, unless it is one of a proxy, who has yet
// to say whose it is, and so long to do it.
func (s *Server) decide(ctx context.Context, fd int, remote netip.AddrPort) (c Conn, patience time.Duration) {
	c = Conn{Remote: remote}
	s.setOptions(fd)
	if err := send(fd, s.Banner); err != nil {
		s.drop(c, "banner", "unable to print banner", err)
		return c, 0
	}
	var err error
	if c.Local, err = localAddr(fd); err != nil {
		s.drop(c, "address", "unable to get local address", err)
		return c, 0
	}
	a, patience, err := s.admit(ctx, c)
	switch {
	case patience > 0:
		return c, patience
	case err == nil && !a.Decision.Deny && s.proxies() && headerComes(fd):
		s.deny(c, a, &rules.Var{Name: tcpProxy, Value: "unset"})
	default:
		s.conclude(fd, c, a, err)
	}
	return c, 0
}

// conclude does what was decided.
func (s *Server) conclude(fd int, c Conn, a Admission, err error) {
	switch {
	case err != nil:
		s.drop(c, "rules", "unable to read "+s.RulesFile, err)
	case a.Decision.Deny:
		s.deny(c, a, nil)
	default:
		s.start(fd, c, a)
	}
}

// deny says that a connection is denied. A remark, if there is one, says why.
func (s *Server) deny(c Conn, a Admission, remark *rules.Var) {
	n := s.table.number()
	s.tell("deny", n, c, a, remark)
	s.table.remember(func(acc *account) { acc.denied.add(a.Decision.Key) })
	s.table.ended(n, 100)
}

// drop says that a connection about which nothing was decided ends. Label is
// what it is counted under.
func (s *Server) drop(c Conn, label, what string, err error) {
	n := s.table.number()
	s.log.pid(n, c.Remote)
	s.log.drop(what, err)
	s.table.remember(func(a *account) { a.dropped.add(label) })
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
