package qmaildkim

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/sandbox"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/spool"

	"golang.org/x/sys/unix"
)

const (
	// lifetime ends a qmail-dkim that waits for ever, as its alarm does.
	lifetime = 24 * time.Hour

	// The library makes a multiple of the message's size in garbage. On a
	// busy machine the collector falls behind with it; these hold the process
	// within 16 MiB, the program itself included.
	softMemory   = 8 << 20 // bytes
	collectEvery = 1 << 20 // bytes of the message
)

// Run is the program qmail-dkim: a queue program that signs or verifies the
// message on descriptor 0 and hands it, with the envelope on descriptor 1, to
// the next queue program. Where descriptor 1 is for output and DKIMQUEUE names
// a filter, such as /bin/cat, that gets the descriptor itself. The exit codes
// are those of qmail.Code.
//
// With SANDBOX set it gives up, before it reads the message, all but reading its
// keys and control files and asking the DNS: see internal/sandbox.
func Run(ctx context.Context, env *prog.Env) error {
	if is, err := qmail.Later(env); is {
		return err
	}
	// The library's goroutines take turns over 4 KiB each: on two processors
	// waking one another costs as much as the work.
	runtime.GOMAXPROCS(1)
	debug.SetMemoryLimit(softMemory)
	syscall.Umask(033)
	prog.DefaultSignals(syscall.SIGQUIT, syscall.SIGXCPU) // the runtime's handlers print a trace
	alarm := make(chan os.Signal, 1)
	signal.Notify(alarm, syscall.SIGALRM)
	// Not a timer of the runtime, which would start its poller; see prog.Open.
	unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Value: unix.NsecToTimeval(int64(lifetime))})
	done := make(chan qmail.Code, 1)
	go func() { done <- handle(socket.Direct(ctx), env) }()
	select {
	case code := <-done:
		if code != qmail.Queued {
			return prog.Exit(int(code))
		}
		return nil
	case <-alarm:
		return prog.Exit(int(qmail.TimedOut))
	}
}

// handle processes the one message of this process and returns its exit code.
func handle(ctx context.Context, env *prog.Env) qmail.Code {
	c, err := ConfigFrom(env.Environ)
	if err == nil {
		err = c.checkHome()
	}
	if err != nil {
		var report Report
		report.fail(err)
		return refuse(env, c, report, err)
	}
	var envelope []byte
	resolver := dns.New(env.Lookup)
	f := &Filter{
		Config:       c,
		LookupTXT:    resolver.LookupTXT,
		publications: &publications{resolver.LookupTXTWithTTL, newPublicationCache(c.TempDir)},
	}
	if fd1 := env.Fd(1); !c.queueSet || qmail.HoldsEnvelope(fd1) {
		f.Recipients = func() ([]string, error) {
			// Not before the message has ended: qmail-smtpd writes it first.
			e, err := readEnvelope(fd1)
			envelope = e.Bytes()
			return e.Recipients, err
		}
	}
	enqueue := func() (*qmail.Queue, error) {
		return qmail.StartQueue(c.Home, c.Queue, env.Environ, f.Recipients != nil)
	}
	if c.sandbox && sandbox.Available() {
		q, err := qmail.StartQueueLater(c.Home, c.Queue, env.Environ, f.Recipients != nil)
		if err != nil {
			var report Report
			report.fail(err)
			return refuse(env, c, report, err)
		}
		defer q.Close()
		enqueue = func() (*qmail.Queue, error) { return q, nil }
	}
	asked, confined := c.Confine()
	p, err := f.examine(ctx, &collector{r: env.Stdin})
	if asked && !confined {
		p.report.warn("no-sandbox")
	}
	if err != nil {
		return refuse(env, c, p.report, err)
	}
	defer p.msg.Close()
	q, err := enqueue()
	if err != nil {
		p.report.fail(err)
		return refuse(env, c, p.report, err)
	}
	code := q.Deliver(p.writeTo, envelope)
	p.report.queued = code
	log(env, c, p.report)
	return code
}

// A collector reads a message and has garbage collected as it goes on.
type collector struct {
	r io.Reader
	n int // bytes since the last time
}

func (c *collector) Read(p []byte) (int, error) {
	if c.n >= collectEvery {
		c.n = 0
		runtime.GC()
	}
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func readEnvelope(fd1 *os.File) (qmail.Envelope, error) {
	if fd1 == nil {
		return qmail.Envelope{}, qmail.ErrEnvelopeShort
	}
	return qmail.ReadEnvelope(fd1)
}

// checkHome returns a *Refusal when the home is not there. Unlike qmail-dkim,
// which goes there first, a configuration of absolute paths works without one:
// then Home becomes empty.
func (c *Config) checkHome() error {
	_, err := os.Stat(c.Home + "/.")
	switch {
	case err == nil:
		return nil
	case filepath.IsAbs(c.Queue) && (c.Mode != ModeSign || filepath.IsAbs(c.signing.key)):
		c.Home = ""
		return nil
	}
	return &Refusal{Code: int(qmail.NoHome), Reason: "no-home", Path: c.Home, Cause: err}
}

// refuse tells why the message is not passed on, and returns the exit code.
func refuse(env *prog.Env, c Config, report Report, err error) qmail.Code {
	log(env, c, report)
	var (
		refusal *Refusal
		queue   *qmail.QueueError
		spooled *spool.Error
		read    *readError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal.tell(env)
	case errors.As(err, &queue):
		return queue.Code
	case errors.As(err, &spooled) && spooled.Create:
		return qmail.NoPidFile
	case errors.As(err, &spooled):
		return qmail.WriteError
	case errors.As(err, &read):
		return qmail.ReadError
	}
	return qmail.CodeOf(err)
}

// log writes the line for a message, in one write. A reader that has gone
// away is no reason to fail, nor to die by SIGPIPE, as a write by os.File to
// standard error would.
func log(env *prog.Env, c Config, report Report) {
	if c.logFd < 0 || env.Fd(c.logFd) == nil {
		return
	}
	if slices.Contains(qmail.ErrorFds(env), c.logFd) {
		return // that is no place for log lines
	}
	_, _ = syscall.Write(c.logFd, []byte(report.Line(os.Getpid())))
}
