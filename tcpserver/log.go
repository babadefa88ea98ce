package tcpserver

import "ucspi-go/internal/prog"

// log writes tcpserver's lines. Each is one write, so that lines of the
// server and of its programs do not mix.
type log struct {
	env *prog.Env
	v   int
}

func (l *log) verbose() bool { return l.v >= verbose }

// say writes a status line.
func (l *log) say(words ...string) {
	if l.verbose() {
		l.write(words...)
	}
}

func (l *log) write(words ...string) {
	n := len("tcpserver: \n")
	for _, w := range words {
		n += len(w)
	}
	line := append(make([]byte, 0, n), "tcpserver: "...)
	for _, w := range words {
		line = append(line, w...)
	}
	l.env.Stderr.Write(append(line, '\n'))
}

// drop writes the warning that a connection was dropped.
func (l *log) drop(what string, err error) { l.warn("dropping connection, "+what, err) }

// warn writes a warning. A nil err leaves out the cause.
func (l *log) warn(what string, err error) {
	if l.v >= complain {
		l.env.Warn(what, err)
	}
}
