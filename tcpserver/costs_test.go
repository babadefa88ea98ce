package tcpserver

import (
	"net/netip"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// Without -W what is said, counted and remembered of a connection takes no
// memory, whatever comes of it.
func TestOffAllocatesNothing(t *testing.T) {
	l := &log{env: &prog.Env{}, v: complain}
	s := &Server{log: l, table: newTable(l, 40, 40)}
	s.table.waiting = true // nobody waits for a quiet time
	c := Conn{netip.MustParseAddrPort("127.0.0.1:25"), netip.MustParseAddrPort("192.0.2.1:1")}
	var a Admission
	over := &limit{Var: rules.Var{Name: maxConIP, Value: "1"}}
	client := blockOf(c.Remote.Addr(), 128)
	if n := testing.AllocsPerRun(100, func() {
		for range 3 {
			s.table.reserve()
			s.table.accepted()
		}
		s.deny(c, a, nil)
		s.refuse(-1, c, a, over)
		number, _, _ := s.table.start(client, nil)
		s.tell("ok", 7, c, a, nil)
		s.table.started(number, 7, c.Remote)
		s.table.update(func() { s.table.reaped(7, syscall.WaitStatus(0)) })
		for range 3 {
			s.table.closed()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
