package tcpserver

import (
	"maps"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// What a server hands over is what it takes over.
func TestHanded(t *testing.T) {
	t.Parallel()
	h := handed{
		listener: 5, shared: true,
		children: map[int]child{7: {connection, blockOf(netip.MustParseAddr("127.0.0.1"), 128)}, 8: {owner: inherited}, 9: {connection, blockOf(netip.MustParseAddr("fe80::1"), 128)}},
		programs: map[int]program{7: {netip.MustParseAddrPort("127.0.0.1:1"), time.Unix(1, 2)}, 9: {netip.MustParseAddrPort("[fe80::1%lo]:65535"), time.Unix(3, 0)}},
	}
	got, err := parseHanded(h.text())
	if err != nil || got.listener != 5 || !got.shared || !maps.Equal(got.children, h.children) || !maps.Equal(got.programs, h.programs) {
		t.Errorf("%+v, %v from %q", got, err, h.text())
	}
}

// The program that follows gets the socket and all that is to know, and what
// it is told stays true until it runs: nobody is reaped meanwhile. When it
// cannot run, all is as before.
func TestHandOver(t *testing.T) { // not parallel: a process that another test starts would get the socket
	listener, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(listener)
	closedOnExec := func() bool {
		flags, err := unix.FcntlInt(uintptr(listener), syscall.F_GETFD, 0)
		return err == nil && flags&syscall.FD_CLOEXEC != 0
	}
	s := &Server{listener: listener, table: newTable(&log{}, 40, 40)}
	s.table.account = newAccount()
	s.table.children[7] = child{owner: inherited}
	o := orders{term: make(chan os.Signal, 1)}
	defer signal.Stop(o.term)
	env := &prog.Env{Called: "./tcpserver", Args: []string{"-v", "0"}, Environ: []string{"LISTEN_PID=1", "A=b"}}
	called := false
	env.Exec = func(name string, argv, environ []string) error {
		called = true
		if s.table.mu.TryLock() {
			t.Error("the table may change")
		}
		if closedOnExec() {
			t.Error("the socket is closed")
		}
		value, _ := rules.Environ(environ).Lookup(handoverVariable)
		pid, fd, _ := strings.Cut(value, " ")
		state, err := strconv.Atoi(fd)
		if err == nil {
			state, err = syscall.Dup(state) // since each of the two closes it
		}
		if err != nil {
			t.Fatal(err)
		}
		copied := rules.Environ(environ).With(rules.Var{Name: handoverVariable, Value: pid + " " + strconv.Itoa(state)})
		h, rest, err := (&supervision{handover: true}).takeOver(copied)
		if err != nil || h == nil || h.listener != listener || h.children[7].owner != inherited || !slices.Equal(rest, []string{"A=b"}) {
			t.Errorf("hands over %+v, %q, %v", h, rest, err)
		}
		if name != "./tcpserver" || !slices.Equal(argv, []string{"./tcpserver", "-v", "0"}) {
			t.Errorf("runs %s %q", name, argv)
		}
		syscall.CloseOnExec(listener)
		return syscall.ENOENT
	}
	if err := s.handOver(env, o); err != syscall.ENOENT || !called || !s.table.mu.TryLock() || !closedOnExec() {
		t.Errorf("%v, called: %v", err, called)
	}
}

// No text makes parseHanded panic or take what is not a socket.
func FuzzParseHanded(f *testing.F) {
	for _, s := range []string{"", "socket 5\n", "socket -1\n", "socket x\n", "program 1 2 3\n", "socket 4\nshared\nprogram 7 127.0.0.1:1 9\nchild 8\n", "child x\n", "\n", "socket\n", "socket 1 2\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHanded(s)
		if err != nil {
			return
		}
		again, err := parseHanded(h.text())
		if err != nil || h.listener < 0 || again.listener != h.listener || !maps.Equal(again.children, h.children) {
			t.Errorf("%q: %+v, then %+v, %v", s, h, again, err)
		}
	})
}
