package qmailsmtpd

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// A site is a private qmail home for one test.
type site struct {
	t    *testing.T
	home string
	env  []string
}

// newSite makes a home whose queue program keeps the message in "message" and
// the envelope in "envelope", and exits with the code in "code".
func newSite(t *testing.T, controls map[string]string) *site {
	s := &site{t: t, home: t.TempDir()}
	s.env = []string{"QMAILHOME=" + s.home, "PATH=" + os.Getenv("PATH")}
	s.write("control/me", "mx.example.org\n")
	s.write("control/rcpthosts", "example.com\n.example.net\n")
	for name, data := range controls {
		s.write("control/"+name, data)
	}
	s.program("cat >message; cat <&1 >envelope; test ! -f code || exit $(cat code)")
	return s
}

func (s *site) write(name, data string) {
	s.t.Helper()
	name = filepath.Join(s.home, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// program makes a shell script the queue program.
func (s *site) program(script string) { s.install("bin/qmail-queue", script) }

// install makes name a program that runs a shell script. It is a link to the
// test binary, because a program that was written a moment ago may be "text
// busy": a process that another test is starting can still hold it open.
func (s *site) install(name, script string) {
	s.t.Helper()
	s.write(name+".sh", script)
	binary, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	os.Remove(filepath.Join(s.home, name))
	if err := os.Symlink(binary, filepath.Join(s.home, name)); err != nil {
		s.t.Fatal(err)
	}
}

// TestMain is also the programs of install, which are told by their name.
func TestMain(m *testing.M) {
	if strings.HasPrefix(os.Args[0], "bin/") {
		syscall.Exec("/bin/sh", []string{"sh", os.Args[0] + ".sh"}, os.Environ())
		os.Exit(120)
	}
	testprog.Main(m)
}

func (s *site) read(name string) string {
	data, err := os.ReadFile(filepath.Join(s.home, name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// A client is one end of a session.
type client struct {
	*os.File
	stderr strings.Builder
	code   chan int
}

// connect starts a session whose environment has the settings of env.
func (s *site) connect(env ...string) *client {
	s.t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	server := os.NewFile(uintptr(ends[1]), "server")
	c := &client{File: os.NewFile(uintptr(ends[0]), "client"), code: make(chan int, 1)}
	e := &prog.Env{
		Name:    "qmail-smtpd",
		Environ: append(s.env[:len(s.env):len(s.env)], env...),
		Stderr:  &c.stderr,
		Fd:      func(int) *os.File { return server },
	}
	go func() {
		err := Run(context.Background(), e)
		server.Close()
		c.code <- prog.Report(e, err)
	}()
	s.t.Cleanup(func() { c.Close() })
	return c
}

// talk sends all of input at once and returns everything that is answered.
func (c *client) talk(input string) (output string, code int) {
	written := make(chan bool)
	go func() {
		defer close(written)
		io.WriteString(c, input)
		syscall.Shutdown(int(c.Fd()), syscall.SHUT_WR)
	}()
	out, _ := io.ReadAll(c)
	<-written
	return string(out), <-c.code
}

var accepted = regexp.MustCompile(`250 ok [0-9]{10,} qp [0-9]+\r\n`)

const (
	greeting = "220 mx.example.org ESMTP\r\n"
	ok       = "250 ok\r\n"
	goAhead  = "354 go ahead\r\n"
	queued   = "250 ok TIME qp PID\r\n"
	notMine  = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)\r\n"
	syntax   = "555 syntax error (#5.5.4)\r\n"
	bare     = "451 See https://cr.yp.to/docs/smtplf.html.\r\n"
	tooLarge = "552 sorry, that message size exceeds my databytes limit (#5.3.4)\r\n"
	looping  = "554 too many hops, this message is looping (#5.4.6)\r\n"
	tooMany  = "452 sorry, too many recipients (#4.5.3)\r\n"
	unknown  = "502 unimplemented (#5.5.1)\r\n"
	mail     = "MAIL FROM:<a@b>\r\nRCPT TO:<c@example.com>\r\n"
	drain    = "QMAILQUEUE=/bin/true" // for sessions that end without waiting for it
	send     = mail + "DATA\r\n"
	sent     = ok + ok + goAhead
)

func TestReplies(t *testing.T) {
	t.Parallel()
	type files = map[string]string
	hops := func(n int) string { return strings.Repeat("Received: x\r\n", n) + "\r\nbody\r\n.\r\n" }
	name := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name     string
		controls files
		env      string // settings, separated by commas
		in, want string // want is what follows the greeting
		code     int
	}{
		{name: "end of input", code: 1},
		{name: "quit", in: "QUIT\r\n", want: "221 mx.example.org\r\n"},
		{name: "nothing after quit", in: "quit\r\nNOOP\r\n", want: "221 mx.example.org\r\n"},
		{name: "helo", in: "HELO x\r\n", want: "250 mx.example.org\r\n", code: 1},
		{name: "ehlo", in: "EHLO x\r\n", want: "250-mx.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n", code: 1},
		{name: "noop", in: "NOOP\r\n", want: ok, code: 1},
		{name: "rset", in: "RSET\r\n", want: "250 flushed\r\n", code: 1},
		{name: "help", in: "HELP\r\n", want: "214 qmail home page: https://cr.yp.to/qmail.html\r\n", code: 1},
		{name: "vrfy", in: "VRFY root\r\n", want: "252 send some mail, i'll try my best\r\n", code: 1},
		{name: "unknown", in: "EXPN x\r\nSTARTTLS\r\nAUTH\r\nBDAT 3\r\nETRN\r\n", want: strings.Repeat(unknown, 5), code: 1},
		{name: "empty line", in: "\r\n", want: unknown, code: 1},
		{name: "case and bare LF", in: "nOoP\nnoop x\n", want: ok + ok, code: 1},
		{name: "leading blank", in: " NOOP\r\n", want: unknown, code: 1},
		{name: "tab is no separator", in: "NOOP\tx\r\n", want: unknown, code: 1},
		{name: "inner CR", in: "NOOP\r\r\nNOOP \r\r\n", want: unknown + ok, code: 1},
		{name: "NUL ends a line", in: "NOOP\x00x\r\nMAIL FROM:<a\x00b>\r\n", want: ok + ok, code: 1},
		{name: "line without end", in: "NOOP", code: 1},
		{name: "longest line", in: "NOOP " + name(maxLine-7) + "\r\n", want: ok, code: 1},
		{name: "line too long", in: name(maxLine) + "\r\nNOOP\r\n", want: "500 line too long (#5.5.2)\r\n", code: 1},

		{name: "rcpt first", in: "RCPT TO:<c@example.com>\r\n", want: "503 MAIL first (#5.5.1)\r\n", code: 1},
		{name: "data first", in: "DATA\r\n", want: "503 MAIL first (#5.5.1)\r\n", code: 1},
		{name: "data without rcpt", in: "MAIL FROM:<>\r\nDATA\r\n", want: ok + "503 RCPT first (#5.5.1)\r\n", code: 1},
		{name: "data after refused rcpt", in: "MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nDATA\r\n", want: ok + notMine + "503 RCPT first (#5.5.1)\r\n", code: 1},
		{name: "rcpt after refused rcpt", in: "MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nRCPT TO:<c@example.com>\r\n", want: ok + notMine + ok, code: 1},
		{name: "rset ends", in: mail + "RSET\r\nDATA\r\n", want: ok + ok + "250 flushed\r\n503 MAIL first (#5.5.1)\r\n", code: 1},
		{name: "helo ends", in: mail + "HELO x\r\nDATA\r\n", want: ok + ok + "250 mx.example.org\r\n503 MAIL first (#5.5.1)\r\n", code: 1},
		{name: "second mail", in: mail + "MAIL FROM:<x>\r\nDATA\r\n", want: ok + ok + ok + "503 RCPT first (#5.5.1)\r\n", code: 1},
		{name: "bad second mail", in: mail + "MAIL FROM:<" + name(900) + ">\r\nDATA\r\n.\r\n", want: ok + ok + syntax + goAhead + queued, code: 1},
		{name: "data ends", in: send + ".\r\nDATA\r\n", want: sent + queued + "503 MAIL first (#5.5.1)\r\n", code: 1},
		{name: "arguments missing", in: "MAIL\r\nRCPT\r\nDATA\r\n.\r\n", want: sent + queued, code: 1},
		{name: "address of 899", in: "MAIL FROM:<" + name(899) + ">\r\n", want: ok, code: 1},
		{name: "address of 900", in: "MAIL FROM:<" + name(900) + ">\r\n", want: syntax, code: 1},
		{name: "recipient of 900", in: "MAIL FROM:<>\r\nRCPT TO:<" + name(888) + "@example.com>\r\n", want: ok + syntax, code: 1},

		{name: "rcpthosts", in: "MAIL FROM:<>\r\nRCPT TO:<a@EXAMPLE.com>\r\nRCPT TO:<a@x.Example.NET>\r\nRCPT TO:<a@x.y.example.net>\r\nRCPT TO:<a>\r\n" +
			"RCPT TO:<a@example.net>\r\nRCPT TO:<a@x.example.com>\r\nRCPT TO:<a@example.com.x>\r\nRCPT TO:<a@>\r\nRCPT TO:<a@example.com@x>\r\n",
			want: strings.Repeat(ok, 5) + strings.Repeat(notMine, 5), code: 1},
		{name: "empty rcpthosts", controls: files{"rcpthosts": ""}, in: "MAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\nRCPT TO:<a>\r\n", want: ok + notMine + ok, code: 1},
		{name: "relay client", env: "RELAYCLIENT=", in: "MAIL FROM:<>\r\nRCPT TO:<x@y>\r\n", want: ok + ok, code: 1},
		{name: "badmailfrom", controls: files{"badmailfrom": "Bad@example.org\n@spam.example\n"},
			in: "MAIL FROM:<bad@EXAMPLE.org>\r\nRCPT TO:<a@example.com>\r\nMAIL FROM:<x@Spam.example>\r\nRCPT TO:<a@example.com>\r\n" +
				"MAIL FROM:<x@sub.spam.example>\r\nRCPT TO:<a@example.com>\r\nMAIL FROM:<>\r\nRCPT TO:<a@example.com>\r\n",
			want: strings.Repeat(ok+"553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n", 2) + strings.Repeat(ok, 4), code: 1},
		{name: "badmailfrom and relay client", controls: files{"badmailfrom": "bad@x\n"}, env: "RELAYCLIENT=", in: "MAIL FROM:<bad@x>\r\nRCPT TO:<x@y>\r\n",
			want: ok + "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)\r\n", code: 1},

		{name: "MAXRECIPIENTS", env: "MAXRECIPIENTS=2", in: mail + "RCPT TO:<x@elsewhere>\r\nRCPT TO:<d@example.com>\r\nRCPT TO:<e@example.com>\r\nRCPT TO:<x@elsewhere>\r\nDATA\r\n.\r\n" + send + ".\r\n",
			want: ok + ok + notMine + ok + tooMany + notMine + goAhead + queued + sent + queued, code: 1},
		{name: "MAXRECIPIENTS and relay client", env: "MAXRECIPIENTS=1,RELAYCLIENT=", in: mail + "RCPT TO:<x@y>\r\n", want: ok + ok + tooMany, code: 1},
		{name: "MAXRECIPIENTS 0", env: "MAXRECIPIENTS=0", in: mail + "RCPT TO:<d@example.com>\r\n", want: ok + ok + ok, code: 1},
		{name: "MAXRECIPIENTS empty", env: "MAXRECIPIENTS=", in: mail + "RCPT TO:<d@example.com>\r\n", want: ok + ok + ok, code: 1},
		{name: "MAXRECIPIENTS no number", env: "MAXRECIPIENTS=x", in: mail + "RCPT TO:<d@example.com>\r\n", want: ok + ok + ok, code: 1},
		{name: "99 hops", in: send + hops(99), want: sent + queued, code: 1},
		{name: "100 hops", in: send + hops(100) + "NOOP\r\n", want: sent + looping + ok, code: 1},
		{name: "hops before size", controls: files{"databytes": "10"}, in: send + hops(100), want: sent + looping, code: 1},
		{name: "databytes reached", controls: files{"databytes": "6x"}, in: send + "..\r\nabc\r\n.\r\n", want: sent + queued, code: 1},
		{name: "databytes exceeded", controls: files{"databytes": "6"}, in: send + "..\r\nabcd\r\n.\r\n" + send + "a\r\n.\r\n", want: sent + tooLarge + sent + queued, code: 1},
		{name: "DATABYTES wins", controls: files{"databytes": "1"}, env: "DATABYTES=9", in: send + "abc\r\n.\r\n", want: sent + queued, code: 1},
		{name: "DATABYTES exceeded", env: "DATABYTES=3", in: send + "abc\r\n.\r\n", want: sent + tooLarge, code: 1},
		{name: "DATABYTES empty", controls: files{"databytes": "1"}, env: "DATABYTES=", in: send + "abc\r\n.\r\n", want: sent + queued, code: 1},
		{name: "DATABYTES no number", controls: files{"databytes": "1"}, env: "DATABYTES=abc", in: send + "abc\r\n.\r\n", want: sent + queued, code: 1},
		{name: "bare LF", env: drain, in: send + "a\nb\r\n.\r\nNOOP\r\n", want: sent + bare, code: 1},
		{name: "no CR LF at all", env: drain, in: send + "a\n.\n", want: sent + bare, code: 1},
		{name: "client gone in data", env: drain, in: send + "a\r\n", want: sent, code: 1},
		{name: "two messages", in: send + "a\r\n.\r\n" + send + "b\r\n.\r\nQUIT\r\n", want: sent + queued + sent + queued + "221 mx.example.org\r\n"},

		{name: "no queue program", env: "QMAILQUEUE=bin/none", in: send + "a\r\n.\r\n", want: sent + "451 unable to exec qq (#4.3.0)\r\n", code: 1},
		{name: "empty QMAILQUEUE", env: "QMAILQUEUE=", in: send + "a\r\n.\r\n", want: sent + "451 unable to exec qq (#4.3.0)\r\n", code: 1},
		{name: "QMAILQUEUE is not looked for in PATH", env: "QMAILQUEUE=true", in: send + "a\r\n.\r\n", want: sent + "451 unable to exec qq (#4.3.0)\r\n", code: 1},
		{name: "QMAILQUEUE has no arguments", env: "QMAILQUEUE=/bin/true x", in: send + "a\r\n.\r\n", want: sent + "451 unable to exec qq (#4.3.0)\r\n", code: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var env []string
			if tt.env != "" {
				env = strings.Split(tt.env, ",")
			}
			out, code := newSite(t, tt.controls).connect(env...).talk(tt.in)
			out = accepted.ReplaceAllString(out, queued)
			if out != greeting+tt.want || code != tt.code {
				t.Errorf("sent %.200q\ngot  %q, exit %d\nwant %q, exit %d", tt.in, out, code, greeting+tt.want, tt.code)
			}
		})
	}
}

func TestControls(t *testing.T) {
	t.Parallel()
	const unreadable = "421 unable to read controls (#4.3.0)\r\n"
	tests := []struct {
		name    string
		prepare func(s *site)
		want    string
		warning string // on standard error, HOME standing for the home
	}{
		{"smtpgreeting", func(s *site) { s.write("control/smtpgreeting", "hi there \nx") }, "220 hi there ESMTP\r\n", ""},
		{"smtpgreeting alone", func(s *site) {
			s.write("control/smtpgreeting", "hi")
			os.Remove(s.home + "/control/me")
		}, "220 hi ESMTP\r\n", ""},
		{"no me", func(s *site) { os.Remove(s.home + "/control/me") }, unreadable, "neither control/me nor control/smtpgreeting is in HOME"},
		{"no control", func(s *site) { os.RemoveAll(s.home + "/control") }, unreadable, "neither control/me nor control/smtpgreeting is in HOME"},
		{"no home", func(s *site) { os.RemoveAll(s.home) }, unreadable, "neither control/me nor control/smtpgreeting is in HOME"},
		{"unreadable rcpthosts", func(s *site) {
			os.Remove(s.home + "/control/rcpthosts")
			os.Mkdir(s.home+"/control/rcpthosts", 0o755)
		}, unreadable, "unable to read HOME/control/rcpthosts: is a directory"},
		{"damaged morercpthosts.cdb", func(s *site) { s.write("control/morercpthosts.cdb", "x") }, unreadable, "unable to read HOME/control/morercpthosts.cdb: protocol error"},
		{"unreadable databytes", func(s *site) { os.Mkdir(s.home+"/control/databytes", 0o755) }, unreadable, "unable to read HOME/control/databytes: is a directory"},
		{"unreadable localiphost", func(s *site) { os.Mkdir(s.home+"/control/localiphost", 0o755) }, unreadable, "unable to read HOME/control/localiphost: is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			tt.prepare(s)
			c := s.connect()
			if out, code := c.talk(""); out != tt.want || code != 1 {
				t.Errorf("got %q, exit %d; want %q, exit 1", out, code, tt.want)
			}
			want := strings.ReplaceAll(tt.warning, "HOME", s.home)
			if want != "" {
				want = "qmail-smtpd: warning: " + want + "\n"
			}
			if got := c.stderr.String(); got != want {
				t.Errorf("standard error: %q, want %q", got, want)
			}
		})
	}
}

// The cdb is what qmail-newmrh makes: each domain a key without data.
func TestMoreRcptHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	f, err := os.Create(filepath.Join(s.home, "control", "morercpthosts.cdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	set := rules.Set{Rules: []rules.Rule{{Address: "more.example"}, {Address: ".sub.example"}}}
	if err := set.Compile(f); err != nil {
		t.Fatal(err)
	}
	const in = "MAIL FROM:<>\r\nRCPT TO:<a@MORE.example>\r\nRCPT TO:<a@x.sub.example>\r\nRCPT TO:<a@example.com>\r\n" +
		"RCPT TO:<a@sub.example>\r\nRCPT TO:<a@x.more.example>\r\n"
	if out, _ := s.connect().talk(in); out != greeting+strings.Repeat(ok, 4)+notMine+notMine {
		t.Errorf("got %q", out)
	}
	os.Remove(s.home + "/control/rcpthosts") // without it the database says nothing
	if out, _ := s.connect().talk(in); out != greeting+strings.Repeat(ok, 6) {
		t.Errorf("without rcpthosts got %q", out)
	}
}

func TestOpenRelayWarning(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	os.Remove(s.home + "/control/rcpthosts")
	c := s.connect()
	if out, _ := c.talk("MAIL FROM:<>\r\nRCPT TO:<x@y>\r\n"); out != greeting+ok+ok {
		t.Errorf("got %q; without rcpthosts every domain is accepted", out)
	}
	if want := "qmail-smtpd: warning: control/rcpthosts does not exist, mail to any domain is accepted\n"; c.stderr.String() != want {
		t.Errorf("standard error: %q, want %q", c.stderr.String(), want)
	}
	for name, c := range map[string]*client{"relay client": s.connect("RELAYCLIENT="), "rcpthosts": newSite(t, nil).connect()} {
		if c.talk("QUIT\r\n"); c.stderr.Len() > 0 {
			t.Errorf("%s: standard error: %q", name, c.stderr.String())
		}
	}
}

// The envelope is bounded, and what was accepted of it stays good.
func TestTooManyRecipients(t *testing.T) {
	t.Parallel()
	const each = 800
	fit := maxEnvelope / (each + 2)
	rcpt := "RCPT TO:<" + strings.Repeat("x", each) + ">\r\n"
	s := newSite(t, nil)
	out, _ := s.connect().talk("MAIL FROM:<>\r\n" + strings.Repeat(rcpt, fit+2) + "DATA\r\n.\r\n")
	out = accepted.ReplaceAllString(out, queued)
	if want := greeting + strings.Repeat(ok, fit+1) + tooMany + tooMany + goAhead + queued; out != want {
		t.Errorf("got %d bytes ending %.200q, want %d bytes", len(out), out[max(0, len(out)-200):], len(want))
	}
	if got, want := len(s.read("envelope")), fit*(each+2)+3; got != want {
		t.Errorf("envelope of %d bytes, want %d", got, want)
	}
}
