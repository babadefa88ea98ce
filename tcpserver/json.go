package tcpserver

import (
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// object is a JSON object that is being written, without its closing brace.
// Whatever it is given, with that brace it is valid JSON (RFC 8259) in ASCII,
// on one line. Encoding/json would double the program.
type object []byte

// event begins the object of a log line.
func event(name string) object {
	o := append(make(object, 0, 512), `{"time":"`...)
	o = time.Now().UTC().AppendFormat(o, "2006-01-02T15:04:05.000000Z07:00")
	return append(o, '"').text("event", name, maxText)
}

const (
	maxName = 100  // bytes of what comes from the network, as in the lines of 0.88
	maxText = 1000 // bytes of what the server itself has to say
)

func (o object) name(name string) object {
	if o[len(o)-1] != '{' {
		o = append(o, ',')
	}
	return append(append(append(o, '"'), name...), `":`...)
}

func (o object) number(name string, n uint64) object { return strconv.AppendUint(o.name(name), n, 10) }

// text adds a string, of limit bytes or more limit bytes and "...". A byte
// that is not ASCII becomes the character of that number: a JSON string has
// no bytes, and this way they can be had back.
func (o object) text(name, s string, limit int) object {
	const hex = "0123456789abcdef"
	o = append(o.name(name), '"')
	for i := range min(len(s), limit) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			o = append(o, '\\', c)
		case c < ' ' || c > '~':
			o = append(o, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			o = append(o, c)
		}
	}
	if len(s) >= limit {
		o = append(o, "..."...)
	}
	return append(o, '"')
}

// known adds a string that is not nil.
func (o object) known(name string, s *string) object {
	if s == nil {
		return o
	}
	return o.text(name, *s, maxName)
}

func (o object) addrPort(side string, a netip.AddrPort) object {
	return o.text(side+"_ip", ucspi.Text(a.Addr()), maxName).number(side+"_port", uint64(a.Port()))
}

// decision is what the lines ok and deny say, and the key of the rule.
func decision(verdict string, pid int, c Conn, a Admission, remark *rules.Var) object {
	o := event(verdict).number("pid", uint64(pid))
	o = o.known("local_host", a.LocalHost).addrPort("local", c.Local)
	o = o.known("remote_host", a.RemoteHost).addrPort("remote", c.Remote).known("remote_info", a.RemoteInfo)
	if a.Decision.Found {
		o = o.known("rule", &a.Decision.Key)
	}
	if remark != nil {
		o = o.text("variable", remark.Name, maxName).text("value", remark.Value, maxName)
	}
	return o
}

// end is what the line end says, the wait status also taken apart.
func end(pid int, ws syscall.WaitStatus) object {
	o := event("end").number("pid", uint64(pid)).number("status", uint64(ws))
	if ws.Signaled() {
		return o.number("signal", uint64(ws.Signal()))
	}
	return o.number("exit", uint64(ws.ExitStatus()))
}

// write writes the object as a line.
func (l *log) write(o object) { _, _ = l.env.Stderr.Write(append(o, "}\n"...)) }

// fault writes a warning, or why the server ends.
func (l *log) fault(e *prog.Error) {
	text := e.What
	if e.Err != nil {
		text += ": " + prog.Errstr(e.Err)
	}
	o := event(e.Severity).text("text", text, maxText)
	if e.Code != 0 {
		o = o.number("exit", uint64(e.Code))
	}
	l.write(o)
}
