package qmailsmtpd

import (
	"bufio"
	"io"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// A Queue takes a message in the place of a queue program: it reads the
// message to its end, then the envelope if it wants that, and returns the
// reply to the client, empty when the message is safe.
type Queue func(message io.Reader, envelope func() (qmail.Envelope, error)) (reply string)

// Rehearse serves a session on conn in this process, with the configuration
// that env and the control files have, and with queue behind it: nothing is
// started. Open says that mail to any domain is accepted from a client that
// does not relay. The error is that of a control file; that of the session is
// none.
func Rehearse(env *prog.Env, conn io.ReadWriter, queue Queue) (open bool, err error) {
	s := &session{out: bufio.NewWriterSize(conn, maxWrite)}
	s.in = bufio.NewReaderSize(flushReader{conn, s.out}, maxLine)
	if s.config, err = readConfig(env, qmail.Home(env.Lookup)); err != nil {
		return false, err
	}
	if s.moreRcptHosts != nil {
		defer s.moreRcptHosts.Close()
	}
	s.open = func() (receiver, error) { return rehearse(queue), nil }
	s.end(s.serve())
	return s.rcpthosts == nil && !s.relaying, nil
}

// A rehearsal is a Queue at work.
type rehearsal struct {
	message  *io.PipeWriter
	envelope chan qmail.Envelope // closed without one when the message must not be committed
	reply    chan string
	spoiled  bool
}

func rehearse(queue Queue) *rehearsal {
	r, w := io.Pipe()
	q := &rehearsal{message: w, envelope: make(chan qmail.Envelope, 1), reply: make(chan string, 1)}
	go func() {
		reply := queue(r, func() (qmail.Envelope, error) {
			if e, ok := <-q.envelope; ok {
				return e, nil
			}
			return qmail.Envelope{}, qmail.ErrEnvelopeShort
		})
		r.Close()
		q.reply <- reply
	}()
	return q
}

func (q *rehearsal) put(piece []byte) {
	if !q.spoiled {
		_, _ = q.message.Write(piece) // who takes no more has decided
	}
}

func (q *rehearsal) spoil() { q.spoiled = true }

func (q *rehearsal) abandon() { q.end() }

func (q *rehearsal) finish(e *envelope) (reply string, pid int) {
	if !q.spoiled {
		r, w := io.Pipe()
		go func() { w.CloseWithError(e.writeTo(w)) }()
		all, err := qmail.ReadEnvelope(r)
		r.Close()
		if err == nil {
			q.envelope <- all
		}
	}
	return q.end(), 0
}

// end ends the message and returns the reply. A queue program that did not
// get everything has not accepted it.
func (q *rehearsal) end() string {
	close(q.envelope)
	q.message.Close()
	reply := <-q.reply
	if reply == "" && q.spoiled {
		return qmail.Queued.ReplyWith("", true)
	}
	return reply
}
