package tcpserver

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// handoverVariable tells the program file that is run anew in this process
// where the rest is: "PID FD".
const handoverVariable = "TCPSERVER_HANDOVER"

// handed is what a server leaves to the program file that is run anew in its
// process. The processes that it has started are children of that too.
type handed struct {
	listener int
	shared   bool
	children map[int]child
	programs map[int]program
}

// renew has the program file take over. Where it cannot, the server goes on.
func (s *Server) renew(env *prog.Env, o orders) {
	if s.limitFile != "" { // who follows would end because of a bad one
		if _, err := readLimit(s.limitFile); err != nil {
			s.log.warn("unable to hand over, unable to read "+s.limitFile, err)
			return
		}
	}
	s.table.update(func() { s.table.paused = true })
	s.gate.close()
	s.table.wait(func() bool { return s.table.accepting == 0 && s.table.open == 0 })
	if err := s.handOver(env, o); err != nil {
		s.log.warn("unable to hand over", err)
	}
	s.gate.free()
	for {
		var err error
		if s.gate, err = newGate(s.listener); err == nil {
			break
		}
		pause()
	}
	s.table.update(func() { s.table.paused = false })
}

// handOver runs the program file anew, with the same arguments, in this
// process. No connection may be in the hands of the server. It returns only
// when that cannot be done, or nil when the server shall end.
func (s *Server) handOver(env *prog.Env, o orders) error {
	state, err := unix.MemfdCreate("tcpserver", 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(state), "state")
	defer f.Close()
	// Who ends from here on is reaped by the program that follows.
	s.table.mu.Lock()
	defer s.table.mu.Unlock()
	text := handed{s.listener, s.shared, s.table.children, s.table.account.programs}.text()
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	if _, err := unix.FcntlInt(uintptr(s.listener), syscall.F_SETFD, 0); err != nil {
		return err
	}
	defer syscall.CloseOnExec(s.listener)
	o.untilExec()
	defer o.again()
	if len(o.term) > 0 {
		return nil
	}
	environ := rules.Environ(env.Environ).Without(listenVariables...).With(
		rules.Var{Name: handoverVariable, Value: strconv.Itoa(os.Getpid()) + " " + strconv.Itoa(state)})
	return env.Exec(env.Called, append([]string{env.Called}, env.Args...), environ)
}

// untilExec has SIGTERM kill, since nobody could hear of it any more, and the
// other orders do nothing: the program that follows starts with both.
func (o orders) untilExec() {
	signal.Stop(o.term)
	for _, sig := range o.signals {
		signal.Ignore(sig)
	}
}

// text is what parseHanded reads.
func (h handed) text() string {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	line("socket", strconv.Itoa(h.listener))
	if h.shared {
		line("shared")
	}
	for pid, c := range h.children {
		if p := h.programs[pid]; c.owner == connection {
			line("program", strconv.Itoa(pid), p.remote.String(), strconv.FormatInt(p.since.UnixNano(), 10))
		} else {
			line("child", strconv.Itoa(pid))
		}
	}
	return b.String()
}

var errHanded = errors.New("bad state")

func parseHanded(text string) (h handed, err error) {
	h = handed{listener: unset, children: make(map[int]child), programs: make(map[int]program)}
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		switch {
		case len(w) == 2 && w[0] == "socket":
			h.listener, err = strconv.Atoi(w[1])
		case len(w) == 1 && w[0] == "shared":
			h.shared = true
		case len(w) == 2 && w[0] == "child":
			var pid int
			pid, err = strconv.Atoi(w[1])
			h.children[pid] = child{owner: inherited}
		case len(w) == 4 && w[0] == "program":
			pid, err1 := strconv.Atoi(w[1])
			remote, err2 := netip.ParseAddrPort(w[2])
			since, err3 := strconv.ParseInt(w[3], 10, 64)
			err = errors.Join(err1, err2, err3)
			h.children[pid] = child{connection, blockOf(remote.Addr(), 128)}
			h.programs[pid] = program{remote, time.Unix(0, since)}
		default:
			err = errHanded
		}
		if err != nil {
			return h, errHanded
		}
	}
	if h.listener < 0 {
		return h, errHanded
	}
	return h, nil
}

// takeOver returns what this process has had before it was run anew, nil for
// nothing, and the environment without a word of it.
func (w *supervision) takeOver(environ rules.Environ) (*handed, rules.Environ, error) {
	if !w.handover {
		return nil, environ, nil
	}
	value, _ := environ.Lookup(handoverVariable)
	environ = environ.Without(handoverVariable)
	pid, fd, _ := strings.Cut(value, " ")
	state, err := strconv.Atoi(fd)
	if err != nil || pid != strconv.Itoa(os.Getpid()) {
		return nil, environ, nil // somebody else's
	}
	f := os.NewFile(uintptr(state), "state")
	defer f.Close()
	var text bytes.Buffer
	if _, err = io.Copy(&text, io.NewSectionReader(f, 0, 1<<62)); err != nil {
		return nil, environ, prog.Fatal(111, "unable to take over", err)
	}
	h, err := parseHanded(text.String())
	if err != nil {
		return nil, environ, prog.Fatal(111, "unable to take over", err)
	}
	syscall.CloseOnExec(h.listener)
	return &h, environ, nil
}

// restore makes the table know the children that are left.
func (t *table) restore(h *handed) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for pid, c := range h.children {
		t.children[pid] = c
		if c.owner == connection {
			t.running++
			t.account.programs[pid] = h.programs[pid]
		}
	}
}
