package qmaildkim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"ucspi-go/internal/qmail"
	"ucspi-go/internal/spool"
)

// A Filter signs or verifies messages, as many as there are, one at a time or
// several.
type Filter struct {
	Config Config

	// LookupTXT returns the TXT records of a name, each as one string; none
	// and no error when the name has none. Verifying needs it, and signing
	// with DKIMPREFLIGHT.
	LookupTXT func(ctx context.Context, name string) ([]string, error)

	// Recipients returns the envelope recipients. It is called once for each
	// message, when the message has been read. Nil is no recipients.
	Recipients func() ([]string, error)

	publications *publications // for DKIMPREFLIGHT; nil for LookupTXT
}

// Process reads a message from src to its end and writes it to dst: first the
// new header fields, then the message unchanged, except that fields which
// claim to be the filter's own verdict are left out. Nothing is written when
// there is an error. A *Refusal says that the message must not go on.
func (f *Filter) Process(ctx context.Context, dst io.Writer, src io.Reader) (Report, error) {
	o, err := f.examine(ctx, src)
	if err != nil {
		return o.report, err
	}
	defer o.msg.Close()
	if _, err := io.WriteString(dst, o.fields); err != nil {
		return o.report, err
	}
	for _, part := range o.parts() {
		if _, err := io.Copy(dst, o.msg.Section(part.from, part.to-part.from)); err != nil {
			return o.report, err
		}
	}
	return o.report, nil
}

// processed is a message that was read, and what is to become of it.
type processed struct {
	report Report
	header *header
	msg    *spool.Spool
	fields string // to be put on top
	cut    []span // to be left out
}

// parts returns what is left of the message, in order.
func (p *processed) parts() []span {
	var parts []span
	at := int64(0)
	for _, c := range p.cut {
		if c.from > at {
			parts = append(parts, span{at, c.from})
		}
		at = c.to
	}
	return append(parts, span{at, p.msg.Size()})
}

// writeTo writes the message with its new fields to a pipe.
func (p *processed) writeTo(pipe *os.File) error {
	if _, err := io.WriteString(pipe, p.fields); err != nil {
		return err
	}
	for _, part := range p.parts() {
		if err := p.msg.SpliceTo(pipe, part.from, part.to); err != nil {
			return err
		}
	}
	return nil
}

// examine reads a message, and signs it on the way or verifies it then. The
// report is valid with any error; errors are *Refusal, *readError, *spool.Error
// and those of Recipients. Without an error the caller closes msg.
func (f *Filter) examine(ctx context.Context, src io.Reader) (*processed, error) {
	o := &processed{msg: &spool.Spool{Dir: f.Config.TempDir}}
	err := f.read(ctx, src, o)
	if err != nil {
		o.msg.Close()
		o.report.fail(err)
	}
	return o, err
}

func (f *Filter) read(ctx context.Context, src io.Reader, o *processed) error {
	watch := &crWatch{}
	src = io.TeeReader(src, watch)
	h, start, err := readHeader(src, o.msg)
	if err != nil {
		return err
	}
	o.header = h
	rest := spooler{src, o.msg}
	j := &job{report: &o.report}
	if f.Config.Mode == ModeSign {
		j = f.prepare(h, &o.report)
		defer j.abandon()
	}
	err = j.feed(io.MultiReader(bytes.NewReader(start), rest))
	if err == nil {
		err = drain(rest)
	}
	if err != nil {
		return err
	}
	var rcpts []string
	if f.Recipients != nil {
		if rcpts, err = f.Recipients(); err != nil {
			return err
		}
	}
	switch f.Config.Mode {
	case ModeSign:
		return f.sign(ctx, o, j, rcpts, watch.found())
	case ModeOff, ModeExempt:
		o.report.From, _ = author(h)
		o.report.Reason = reasonOff
		if f.Config.Mode == ModeExempt {
			o.report.Reason = reasonExempt
		}
	default:
		return f.label(ctx, o, h)
	}
	return nil
}

// sign makes the signatures, unless the recipients, the header or what is
// published of the keys are against it.
func (f *Filter) sign(ctx context.Context, o *processed, j *job, rcpts []string, bareCR bool) error {
	o.report.Recipients = len(rcpts)
	rule, exists, err := f.recipientRule()
	if err != nil {
		return refuseRcpts.because(err)
	}
	if exists {
		var ok bool
		if o.report.Match, ok = rule.match(rcpts); !ok {
			j.abandon()
			o.report.Reason, o.report.Tried = reasonRcpt, nil
			return nil
		}
	}
	if j.refusal != nil {
		return j.refusal
	}
	f.preflight(ctx, j)
	signed := len(j.signers) > 0
	if o.fields, err = j.finish(); err != nil {
		return err
	}
	if bareCR && signed {
		o.report.warn("bare-cr")
	}
	return nil
}

// recipientRule returns the rule of DKIMRCPT or else of control/dkimrcpts.
func (f *Filter) recipientRule() (rule recipientRule, exists bool, err error) {
	rule = recipientRule{list: f.Config.rcpts, all: f.Config.rcptAll}
	if len(rule.list) > 0 {
		return rule, true, nil
	}
	rule.list, exists, err = qmail.Control(f.Config.Control).Lines("dkimrcpts")
	return rule, exists, err
}

// label verifies the message. The error is a *Refusal when the policy refuses
// it, or when a list of the policy cannot be read.
func (f *Filter) label(ctx context.Context, o *processed, h *header) error {
	o.report.From, _ = author(h)
	p := f.Config.policy
	c := verifier{
		lookupTXT:  f.LookupTXT,
		authServID: f.Config.AuthServID,
		align:      f.Config.Align,
		anyFrom:    p.unsignedFrom,
		budget:     f.Config.LookupTime,
	}
	if c.authServID == "" {
		// Without a readable control/me there is no name to speak in; the
		// verdict itself does not depend on it.
		c.authServID, _, _ = qmail.Control(f.Config.Control).Line("me")
	}
	v := c.verify(ctx, h, o.msg, o.report.From)
	o.report.Verdict = &v
	if err := p.apply(&v, qmail.Control(f.Config.Control), authorDomains(h)); err != nil {
		if p.refuses() {
			return err
		}
		o.report.warn(err.Reason)
	}
	o.report.Action, o.report.DryRun = p.action(v.Letter), p.dryRun
	if o.report.Action != actionAccept && p.refuses() {
		return refusal(v.Letter, o.report.Action)
	}
	o.fields, o.cut = v.fields(), v.cut
	return nil
}

// drain reads r to its end. The error is that of r.
func drain(r io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		_, err := r.Read(buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// A crWatch looks for a CR without LF in what is written to it.
type crWatch struct{ seen, last bool }

func (w *crWatch) Write(p []byte) (int, error) {
	b := p
	for !w.seen && len(b) > 0 {
		if w.last {
			w.seen = b[0] != '\n'
			w.last = false
		}
		n := bytes.IndexByte(b, '\r')
		if n < 0 {
			break
		}
		b, w.last = b[n+1:], true
	}
	return len(p), nil
}

// found reports whether there was one, now that all was written.
func (w *crWatch) found() bool { return w.seen || w.last }
