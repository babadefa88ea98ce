// Package qmailsmtpd receives mail by SMTP on an inherited connection and
// hands each message to a queue program. Replies and behaviour are those of
// qmail 1.03 and notqmail; the queue program may also word its own refusal.
package qmailsmtpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os/signal"
	"runtime"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// maxLine is the length in bytes from which a command line is refused. It is
// also the size of the input buffer.
const maxLine = 64 << 10

// cleanAfter is the number of messages after which a session cleans up what
// starting their queue programs has left: a few KiB for each. The runtime by
// itself would let 4 MiB gather, and a session that is idle later keep them.
const cleanAfter = 64

// messageBuffer is how much of a message is gathered for one write, in bytes.
const messageBuffer = 32 << 10

// A lastReply is an error that ends the session with a reply.
type lastReply string

func (r lastReply) Error() string { return string(r) }

const (
	errTimeout  = lastReply("451 timeout (#4.4.2)")
	errControls = lastReply("421 unable to read controls (#4.3.0)")
	errMemory   = lastReply("421 out of memory (#4.3.0)")
	errLocalIP  = lastReply("421 unable to figure out my IP addresses (#4.3.0)")
	errBareLF   = lastReply("451 See https://cr.yp.to/docs/smtplf.html.")
	errLongLine = lastReply("500 line too long (#5.5.2)")
)

// errQuit ends the session after QUIT.
var errQuit = errors.New("qmailsmtpd: quit")

// Run serves one SMTP session on descriptors 0 and 1. It returns nil after
// QUIT and otherwise the error that exits 1, as notqmail's qmail-smtpd.
func Run(_ context.Context, env *prog.Env) error {
	// The queue program inherits this, as from the C program.
	signal.Ignore(syscall.SIGPIPE)
	in, out := env.Fd(0), env.Fd(1)
	if in == nil || out == nil {
		return prog.Exit(1)
	}
	c := &conn{in: int(in.Fd()), out: int(out.Fd()), timeout: defaultTimeout}
	s := new(session)
	s.out = bufio.NewWriterSize(writer{c}, maxWrite)
	s.in = bufio.NewReaderSize(flushReader{c, s.out}, maxLine)
	err := s.start(env)
	if err == nil {
		c.timeout = s.timeout
		err = s.serve()
	}
	if err == errQuit {
		return nil
	}
	s.end(err)
	return prog.Exit(1)
}

// start reads the configuration.
func (s *session) start(env *prog.Env) (err error) {
	home := qmail.Home(env.Lookup)
	if s.config, err = readConfig(env, home); err != nil {
		warnOfControls(env, home, err)
		return errControls
	}
	var buffer *bufio.Writer
	messages := 0
	s.open = func() (receiver, error) {
		if buffer == nil {
			buffer = bufio.NewWriterSize(nil, messageBuffer)
		}
		if messages++; messages%cleanAfter == 0 {
			runtime.GC()
		}
		return openQueue(s.queue, home, env.Environ, buffer)
	}
	if s.rcpthosts == nil && !s.relaying {
		env.Warn("control/rcpthosts does not exist, mail to any domain is accepted", nil)
	}
	return nil
}

// serve greets and answers commands, up to the error that ends the session.
// Commands leave no garbage, for the same reason as cleanAfter.
func (s *session) serve() error {
	s.hello([]byte(s.remoteHost))
	s.reply("220 ", s.greeting, " ESMTP")
	for {
		line, err := s.in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			return errLongLine
		}
		if err != nil {
			return err
		}
		if err := s.command(parseCommand(line)); err != nil {
			return err
		}
	}
}

// flushReader makes every reply seen before input is waited for. This is all
// that pipelining needs: replies to commands that came together leave together.
type flushReader struct {
	in  io.Reader
	out *bufio.Writer
}

func (r flushReader) Read(p []byte) (int, error) {
	if err := r.out.Flush(); err != nil {
		return 0, err
	}
	return r.in.Read(p)
}
