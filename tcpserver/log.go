package tcpserver

import (
	"net/netip"
	"strconv"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// log writes tcpserver's lines. Each is one write, so that lines of the
// server and of its programs do not mix.
type log struct {
	env  *prog.Env
	v    int
	json bool // one JSON object a line: json.go
}

func (l *log) verbose() bool { return l.v >= verbose }

// say writes a line of text.
func (l *log) say(words ...string) {
	n := len("tcpserver: \n")
	for _, w := range words {
		n += len(w)
	}
	line := append(make([]byte, 0, n), "tcpserver: "...)
	for _, w := range words {
		line = append(line, w...)
	}
	_, _ = l.env.Stderr.Write(append(line, '\n'))
}

// status says how many connections there are, and how many there may be.
func (l *log) status(running, limit uint64) {
	switch {
	case !l.verbose():
	case l.json:
		l.write(event("status").number("running", running).number("limit", limit))
	default:
		l.say("status: ", strconv.FormatUint(running, 10), "/", strconv.FormatUint(limit, 10))
	}
}

// pid says which number a connection has.
func (l *log) pid(pid int, from netip.AddrPort) {
	switch {
	case !l.verbose():
	case l.json:
		l.write(event("pid").number("pid", uint64(pid)).addrPort("remote", from))
	default:
		l.say("pid ", strconv.Itoa(pid), " from ", ucspi.Text(from.Addr()))
	}
}

// decided says what was decided about a connection, "ok" or "deny". A remark,
// if there is one, is the variable of the rule that did it.
func (l *log) decided(verdict string, pid int, c Conn, a Admission, remark *rules.Var) {
	switch {
	case !l.verbose():
	case l.json:
		l.write(decision(verdict, pid, c, a, remark))
	case remark != nil:
		l.say(verdict, " ", strconv.Itoa(pid), " ", a.facts(c).Line(), " ", remark.Name, ":", ucspi.Safe(remark.Value))
	default:
		l.say(verdict, " ", strconv.Itoa(pid), " ", a.facts(c).Line())
	}
}

// end says with which wait status a connection ended.
func (l *log) end(pid int, ws syscall.WaitStatus) {
	switch {
	case !l.verbose():
	case l.json:
		l.write(end(pid, ws))
	default:
		l.say("end ", strconv.Itoa(pid), " status ", strconv.Itoa(int(ws)))
	}
}

// drop writes the warning that a connection was dropped.
func (l *log) drop(what string, err error) { l.warn("dropping connection, "+what, err) }

// warn writes a warning. A nil err leaves out the cause.
func (l *log) warn(what string, err error) {
	switch {
	case l.v < complain:
	case l.json:
		l.fault(&prog.Error{Severity: "warning", What: what, Err: err})
	default:
		l.env.Warn(what, err)
	}
}
