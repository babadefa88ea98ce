package tcpserver

import (
	"context"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"ucspi-go/internal/prog"
)

// signals returns those that have a meaning besides SIGTERM: each kills, as
// it kills tcpserver 0.88, unless a word of -W gives it one.
func (w *supervision) signals() (list []syscall.Signal) {
	if w.limitFile != "" {
		list = append(list, syscall.SIGHUP)
	}
	if w.status {
		list = append(list, syscall.SIGUSR1)
	}
	if w.handover {
		list = append(list, syscall.SIGUSR2)
	}
	return list
}

// prepare does what -W wants before the server is ready to accept, and finish
// what it wants at the end.
func (s *Server) prepare(local netip.AddrPort) (finish func(), err error) {
	if s.limitFile != "" {
		if s.Limit, err = readLimit(s.limitFile); err != nil {
			return nil, prog.Fatal(111, "unable to read "+s.limitFile, err)
		}
	}
	// Those who accept must be able to stop although others have the socket
	// too, and to ask once more whether there is a place.
	if s.shared || s.handover || s.limitFile != "" {
		if s.gate, err = newGate(s.listener); err != nil {
			return nil, prog.Fatal(111, "unable to start", err)
		}
	}
	s.table = newTable(s.log, s.Limit, descriptors(s.listener))
	s.table.handover = s.handover
	if s.handover || s.status || s.counters != "" {
		s.table.account = newAccount()
	}
	finish = func() {}
	if s.counters != "" {
		if finish, err = s.keepCounters(local); err != nil {
			return nil, prog.Fatal(111, "unable to write "+s.counters, err)
		}
	}
	return finish, nil
}

// orders are the signals of somebody who has a say: term SIGTERM, more those
// that -W gives a meaning.
type orders struct {
	term, more chan os.Signal
	signals    []syscall.Signal
}

func newOrders(signals []syscall.Signal) orders {
	o := orders{make(chan os.Signal, 1), make(chan os.Signal, 8), signals}
	o.again()
	return o
}

// again has the signals caught.
func (o orders) again() {
	signal.Notify(o.term, syscall.SIGTERM)
	for _, sig := range o.signals {
		signal.Notify(o.more, sig)
	}
}

// untilTerm returns a context that SIGTERM ends, and what must be called when
// the context is of no more use: it reports whether SIGTERM has come. Until
// then, and no longer, that signal is nobody else's.
func (o orders) untilTerm(ctx context.Context) (_ context.Context, heard func() bool) {
	ctx, cancel := context.WithCancel(ctx)
	end, term := make(chan struct{}), make(chan bool, 1)
	go func() {
		select {
		case <-o.term:
			cancel()
			term <- true
		case <-end:
			term <- false
		}
	}()
	return ctx, func() bool {
		close(end)
		defer cancel()
		return <-term
	}
}

// obey does what the signals say until the server shall end or, for the result
// true, the program file shall be run anew.
func (s *Server) obey(ctx context.Context, o orders) (handover bool) {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-o.term:
			return false
		case sig := <-o.more:
			if sig == syscall.SIGUSR2 {
				return true
			}
			s.answer(sig)
		}
	}
}

func (s *Server) answer(sig os.Signal) {
	switch sig {
	case syscall.SIGHUP:
		s.newLimit()
	case syscall.SIGUSR1:
		s.show()
	}
}

// waitForPrograms waits for the programs of all connections, or for another SIGTERM.
func (s *Server) waitForPrograms(o orders) {
	idle := make(chan struct{})
	go func() {
		s.table.wait(func() bool { return s.table.running == 0 })
		close(idle)
	}()
	for {
		select {
		case <-idle:
			return
		case <-o.term:
			return
		case sig := <-o.more:
			s.answer(sig)
		}
	}
}
