package qmailsmarthost

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/spool"
	"ucspi-go/internal/testprog"
)

const (
	letter   = "Subject: x\n\ntext\n"
	envelope = "Fa@example.org\x00Tb@example.com\x00\x00"
)

// A job is one message for the program and the sink that it is to go to.
type job struct {
	script   string
	message  io.Reader
	envelope string
	environ  []string          // $SINK stands for the sink's port
	controls map[string]string // likewise
	listens  bool              // the caller reads words

	code qmail.Code
	words,
	line, // the log's, without pid and relay
	log string // the sink's
}

// run runs the program and fills in what it has done.
func (j *job) run(t *testing.T) {
	t.Helper()
	script, err := smtpsink.ParseScript(j.script)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := smtpsink.Start("127.0.0.1:0", script)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(int(sink.Addr.Port()))
	home := j.home(t, port)
	environ := []string{"QMAILHOME=" + home, "TMPDIR=" + home}
	for _, s := range j.environ {
		environ = append([]string{strings.ReplaceAll(s, "$SINK", port)}, environ...)
	}
	if j.message == nil {
		j.message = strings.NewReader(letter)
	}
	var pipes [3]struct{ r, w *os.File }
	for i := range pipes {
		if pipes[i].r, pipes[i].w, err = os.Pipe(); err != nil {
			t.Fatal(err)
		}
		defer pipes[i].r.Close()
		defer pipes[i].w.Close()
	}
	written := make(chan bool)
	go func() {
		io.WriteString(pipes[0].w, j.envelope)
		pipes[0].w.Close()
		close(written)
	}()
	env := &prog.Env{Name: "qmail-smarthost", Stdin: j.message, Environ: environ, Fd: func(n int) *os.File {
		switch {
		case n == 1:
			return pipes[0].r
		case n == 2:
			return pipes[1].w
		case n == 6 && j.listens:
			return pipes[2].w
		}
		return nil
	}}
	r := &relay{dns: resolver(t)}
	j.code = r.handle(socket.Direct(t.Context()), env)
	pipes[0].r.Close()
	<-written
	for i, to := range []*string{&j.line, &j.words} {
		pipes[i+1].w.Close()
		text, err := io.ReadAll(pipes[i+1].r)
		if err != nil {
			t.Error(err)
		}
		*to = string(text)
	}
	j.line = regexp.MustCompile(` pid=[0-9]+| relay=127.0.0.1:[0-9]+`).ReplaceAllString(j.line, "")
	if j.log, err = sink.Finish(); err != nil {
		t.Error(err)
	}
	if entries, err := filepath.Glob(filepath.Join(home, "*")); err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
}

// home makes the program's home, for a sink on a port.
func (j *job) home(t *testing.T, port string) string {
	t.Helper()
	home := t.TempDir()
	controls := map[string]string{"me": "me.example", "smarthost": "127.0.0.1:$SINK\n"}
	for name, text := range j.controls {
		controls[name] = text
	}
	if err := os.Mkdir(filepath.Join(home, "control"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range controls {
		if err := os.WriteFile(filepath.Join(home, "control", name), []byte(strings.ReplaceAll(text, "$SINK", port)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return home
}

func resolver(t *testing.T) *dns.Resolver {
	t.Helper()
	names := testprog.NameServer(t, "relay.example A 127.0.0.1\nlate.example SERVFAIL\nbare.example TXT x\ndead.example A 127.0.0.9\ndead.example A 127.0.0.8\n", dnsserver.Start)
	r := dns.New(func(name string) (string, bool) { return names.Addr(), name == "DNSCACHEIP" })
	r.Rounds = []time.Duration{10 * time.Second} // a failure is believed at once
	return r
}

const (
	opened = "connect\nHELO me.example\n"
	mail   = opened + "MAIL FROM:<a@example.org>\nRCPT TO:<b@example.com>\n"
	sent   = mail + "DATA\n| Subject: x\n| \n| text\n.\nQUIT\nend\n"
)

// What the server says, and what the caller hears of it: the code alone, or
// with somebody who reads them words, then code 82.
func TestAnswers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	three := "Fa@example.org\x00T1@x\x00T2@x\x00T3@x\x00\x00"
	const rcpts = opened + "MAIL FROM:<a@example.org>\nRCPT TO:<1@x>\nRCPT TO:<2@x>\nRCPT TO:<3@x>\n"
	for _, tt := range []struct {
		name, script, envelope string
		code                   qmail.Code
		words                  string
		line, log              string
	}{
		{"sent", ". 250 ok 1 qp 2", envelope, 0, "", "sent rcpts=1 reply=250-ok-1-qp-2", sent},
		{"sent to three", "", three, 0, "", "sent rcpts=3 reply=250-ok", rcpts + "DATA\n| Subject: x\n| \n| text\n.\nQUIT\nend\n"},
		{"null sender", "", "F\x00Tb@example.com\x00\x00", 0, "", "sent rcpts=1 reply=250-ok", strings.Replace(sent, "a@example.org", "", 1)},
		{"nobody to send to", "", "Fa@example.org\x00\x00", 0, "", "sent rcpts=0", ""},
		{"bytes behind the envelope", "", envelope + "Tc@example.com\x00", 0, "", "sent rcpts=1 reply=250-ok", sent},
		{"greeting", "connect 554 go away", envelope, 73, "Zmail server: 554 go away", "defer rcpts=1 reason=greeting code=73 reply=554-go-away", "connect\nQUIT\nend\n"},
		{"name", "HELO 550 who?", envelope, 73, "Zmail server: 550 who?", "defer rcpts=1 reason=greeting code=73 reply=550-who?", opened + "QUIT\nend\n"},
		{"sender, for good", "MAIL 550 5.7.1 no", envelope, 31, "Dsender: 550 5.7.1 no", "reject rcpts=1 reason=sender code=31 reply=550-5.7.1-no", opened + "MAIL FROM:<a@example.org>\nQUIT\nend\n"},
		{"sender, for now", "MAIL 451 later", envelope, 71, "Zsender: 451 later", "defer rcpts=1 reason=sender code=71 reply=451-later", opened + "MAIL FROM:<a@example.org>\nQUIT\nend\n"},
		{"recipient, for good", "RCPT 550 no", envelope, 31, "Drecipient b@example.com: 550 no", "reject rcpts=1 reason=recipient code=31 reply=550-no", mail + "QUIT\nend\n"},
		{"recipient, for now", "RCPT 450 later", envelope, 71, "Zrecipient b@example.com: 450 later", "defer rcpts=1 reason=recipient code=71 reply=450-later", mail + "QUIT\nend\n"},
		{"one recipient of three, for good", "RCPT 250 ok\nRCPT 550-no\\n550 never\nRCPT 250 ok", three, 31, "Drecipient 2@x: 550-no 550 never", "reject rcpts=3 reason=recipient code=31 reply=550-no-550-never", rcpts + "QUIT\nend\n"},
		{"one for now, one for good", "RCPT 450 later\nRCPT 250 ok\nRCPT 550 no", three, 31, "Drecipient 3@x: 550 no", "reject rcpts=3 reason=recipient code=31 reply=550-no", rcpts + "QUIT\nend\n"},
		{"two for now", "RCPT 250 ok\nRCPT 450 later\nRCPT 451 later", three, 71, "Zrecipient 2@x: 450 later", "defer rcpts=3 reason=recipient code=71 reply=450-later", rcpts + "QUIT\nend\n"},
		{"empty recipient", "RCPT 550 no\nRCPT 250 ok", "F\x00T\x00Tb@x\x00\x00", 31, "Drecipient : 550 no", "reject rcpts=2 reason=recipient code=31 reply=550-no", opened + "MAIL FROM:<>\nRCPT TO:<>\nRCPT TO:<b@x>\nQUIT\nend\n"},
		{"DATA", "DATA 451 later", envelope, 71, "Z451 later", "defer rcpts=1 reason=message code=71 reply=451-later", mail + "DATA\nQUIT\nend\n"},
		{"message, for good", ". 554 spam", envelope, 31, "D554 spam", "reject rcpts=1 reason=message code=31 reply=554-spam", sent},
		{"message, for now", ". 452 full", envelope, 71, "Z452 full", "defer rcpts=1 reason=message code=71 reply=452-full", sent},
		{"words that are no reply", ". ok", envelope, 71, "Zok", "defer rcpts=1 reason=message code=71 reply=ok", sent},
		{"words with controls", `. "554 a\x00b\x1bc\x7f\td\r\n"`, envelope, 31, "D554 a?b?c??d", "reject rcpts=1 reason=message code=31 reply=554-a?b?c??d", sent},
		{"long words", ". 554 " + long, envelope, 31, ("D554 " + long)[:255], "reject rcpts=1 reason=message code=31 reply=554-" + long[:96] + "...", sent},
		{"closed at once", "connect close", envelope, 74, "", "defer rcpts=1 reason=lost code=74 cause=", "connect\nend\n"},
		{"closed after the message", ". close", envelope, 74, "", "defer rcpts=1 reason=lost-after-message code=74 cause=", strings.Replace(sent, "QUIT\n", "", 1)},
		{"line end in the sender", "", "Fa\r\nDATA\x00Tb@x\x00\x00", 31, "Dsorry, an address has a line end in it (#5.1.3)", "reject rcpts=1 reason=bad-address code=31", ""},
		{"line end in a recipient", "", "F\x00Tb\n@x\x00Tc@x\x00\x00", 31, "Dsorry, an address has a line end in it (#5.1.3)", "reject rcpts=2 reason=bad-address code=31", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, listens := range []bool{false, true} {
				j := job{script: tt.script, envelope: tt.envelope, listens: listens}
				j.run(t)
				code, words := tt.code, ""
				if listens && tt.words != "" {
					code, words = qmail.Custom, tt.words
				}
				if j.code != code || j.words != words {
					t.Errorf("code %d, words %q; want %d, %q", j.code, j.words, code, words)
				}
				line := "qmail-smarthost: " + tt.line
				if !strings.HasPrefix(j.line, line) || !strings.HasSuffix(line, "cause=") && j.line != line+"\n" || strings.Count(j.line, "\n") != 1 {
					t.Errorf("log line\n%q, want\n%q", j.line, line)
				}
				if j.log != tt.log {
					t.Errorf("the server got\n%swant\n%s", j.log, tt.log)
				}
			}
		})
	}
}

// Whatever goes wrong before the envelope has ended, the server hears nothing.
func TestNothingSent(t *testing.T) {
	t.Parallel()
	tooLong := strings.Repeat("x", qmail.MaxAddress)
	for _, tt := range []struct {
		name string
		job
		code qmail.Code
		line string
	}{
		{"no envelope", job{}, qmail.ReadError, "defer rcpts=0 reason=bad-envelope code=54 cause=qmail:-envelope-ends-early"},
		{"no recipients and no end", job{envelope: "Fa@example.org\x00"}, qmail.ReadError, "defer rcpts=0 reason=bad-envelope code=54 cause=qmail:-envelope-ends-early"},
		{"no end", job{envelope: envelope[:len(envelope)-1]}, qmail.ReadError, "defer rcpts=1 reason=bad-envelope code=54 cause=qmail:-envelope-ends-early"},
		{"end within a recipient", job{envelope: envelope[:len(envelope)-3]}, qmail.ReadError, "defer rcpts=0 reason=bad-envelope code=54 cause=qmail:-envelope-ends-early"},
		{"no sender", job{envelope: "Tb@example.com\x00\x00"}, qmail.BadEnvelope, "defer rcpts=0 reason=bad-envelope code=91 cause=qmail:-envelope-record-is-neither-F-nor-T"},
		{"long recipient", job{envelope: "F\x00T" + tooLong + "\x00\x00"}, qmail.AddressTooLong, "reject rcpts=0 reason=bad-envelope code=11 cause=qmail:-envelope-address-too-long"},
		{"message that cannot be read", job{message: iotest.ErrReader(syscall.EIO), envelope: envelope}, qmail.ReadError, "defer rcpts=0 reason=read-error code=54 cause=input/output-error"},
		{"no folder for a large message", job{message: strings.NewReader(strings.Repeat("x\n", spool.MaxMemory)), envelope: envelope, environ: []string{"TMPDIR=/none"}},
			qmail.NoPidFile, "defer rcpts=0 reason=spool-error code=63 cause=file-does-not-exist"},
		{"no home", job{envelope: envelope, environ: []string{"QMAILHOME=/none"}}, qmail.NoHome, "defer rcpts=0 reason=no-home code=61 cause=file-does-not-exist"},
		{"no smarthost", job{envelope: envelope, controls: map[string]string{"smarthost": "\n"}}, qmail.ReadConfig, "defer rcpts=0 reason=no-smarthost code=55"},
		{"no port", job{envelope: envelope, environ: []string{"SMARTHOST=127.0.0.1:x"}}, qmail.ReadConfig, "defer rcpts=0 reason=no-smarthost code=55 cause=outbound:-not-a-port-number"},
		{"no name", job{envelope: envelope, controls: map[string]string{"me": "a\rb"}}, qmail.ReadConfig, "defer rcpts=0 reason=bad-controls code=55 cause=outbound:-no-host-name"},
		{"no such host", job{envelope: envelope, environ: []string{"SMARTHOST=nowhere.example"}}, qmail.NoNetwork, "defer rcpts=1 reason=no-such-host code=56"},
		{"no address", job{envelope: envelope, environ: []string{"SMARTHOST=bare.example"}}, qmail.NoNetwork, "defer rcpts=1 reason=no-such-host code=56"},
		{"no name server", job{envelope: envelope, environ: []string{"SMARTHOST=late.example:26"}}, qmail.NoNetwork, "defer rcpts=1 reason=dns-error code=56"},
		{"nobody listens", job{envelope: envelope, environ: []string{"SMARTHOST=127.0.0.1:1"}}, qmail.ConnectRefused, "defer rcpts=1 reason=no-connection code=73 cause=connection-refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(t)
			if tt.job.code != tt.code || tt.job.line != "qmail-smarthost: "+tt.line+"\n" || tt.log != "" || tt.words != "" {
				t.Errorf("code %d, words %q, line\n%swant %d,\nqmail-smarthost: %s\nthe server got\n%s", tt.job.code, tt.words, tt.job.line, tt.code, tt.line, tt.log)
			}
		})
	}
}

// The server comes from $SMARTHOST, from control/smarthost when that is unset
// or empty; a name is looked up, and its next address tried.
func TestSmarthost(t *testing.T) {
	t.Parallel()
	for name, j := range map[string]job{
		"control":       {},
		"empty":         {environ: []string{"SMARTHOST="}},
		"variable wins": {environ: []string{"SMARTHOST=[127.0.0.1]:$SINK"}, controls: map[string]string{"smarthost": "127.0.0.1:1"}},
		"name":          {environ: []string{"SMARTHOST=relay.example:$SINK"}},
	} {
		j.envelope = envelope
		if j.run(t); j.code != 0 || j.log != sent {
			t.Errorf("%s: code %d, log\n%s", name, j.code, j.log)
		}
	}
	j := job{envelope: envelope, environ: []string{"SMARTHOST=dead.example:1"}}
	if j.run(t); j.code != qmail.ConnectRefused || !regexp.MustCompile(`relay=127.0.0.[89]:1 `).MatchString(j.line) {
		t.Errorf("code %d, line %q", j.code, j.line)
	}
}

// A message that does not fit into memory arrives whole, as does what a strict
// server must not see as it is.
func TestMessages(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"empty":            "",
		"large":            strings.Repeat("0123456789\n", spool.MaxMemory/8),
		"CRs":              "a\r.\rMAIL FROM:<evil>\r\n.\r\r\n",
		"8-bit":            "\xff\x00\n..\n",
		"a CR at the edge": strings.Repeat("x", spool.MaxMemory-1) + "\r.\n",
	} {
		j := job{message: strings.NewReader(message), envelope: envelope}
		j.run(t)
		lines := strings.SplitAfter(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(message), "\n")
		want := mail + "DATA\n" + strings.TrimSuffix("| "+strings.Join(lines, "| "), "| ") + ".\nQUIT\nend\n"
		if j.code != 0 || j.log != want {
			t.Errorf("%s: code %d, the server got\n%.500s", name, j.code, j.log)
		}
	}
	j := job{message: strings.NewReader("text\nmore"), envelope: envelope, listens: true}
	if j.run(t); j.code != qmail.Custom || j.words != "DSMTP cannot transfer messages with partial final lines. (#5.6.2)" || !strings.HasSuffix(j.log, "DATA\nend\n") {
		t.Errorf("partial line: code %d, words %q, log\n%s", j.code, j.words, j.log)
	}
}

func TestExtended(t *testing.T) {
	t.Parallel()
	j := job{envelope: envelope, message: strings.NewReader("ü\n"), controls: map[string]string{"smtpehlo": "1"},
		script: `EHLO 250-sink\n250-STARTTLS\n250-PIPELINING\n250-SIZE\n250 8BITMIME`}
	want := strings.NewReplacer("HELO", "EHLO", "org>", "org> SIZE=4 BODY=8BITMIME", "| Subject: x\n| \n| text\n", "| ü\n").Replace(sent)
	if j.run(t); j.code != 0 || j.log != want {
		t.Errorf("code %d, log\n%s", j.code, j.log)
	}
}

// A server that cannot be reached in the time of control/timeoutconnect, or is
// silent for that of control/timeoutremote.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	j := job{envelope: envelope, script: "HELO hang", controls: map[string]string{"timeoutremote": "1"}}
	if j.run(t); j.code != qmail.ConnectLost || !strings.Contains(j.line, "cause=timed-out") {
		t.Errorf("silent server: code %d, line %q", j.code, j.line)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// With a backlog of 0 one connection waits to be accepted, or two.
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) })
	}
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr).AddrPort()
	for range 2 {
		if conn, err := smtp.Dial(socket.Direct(t.Context()), addr, 50*time.Millisecond); err == nil {
			defer conn.Close()
		}
	}
	j = job{envelope: envelope, environ: []string{"SMARTHOST=" + addr.String()}, controls: map[string]string{"timeoutconnect": "1"}}
	if j.run(t); j.code != qmail.ConnectTimedOut || !strings.Contains(j.line, "reason=no-connection code=72 cause=timed-out") {
		t.Errorf("deaf server: code %d, line %q", j.code, j.line)
	}
}

// The line never goes where the caller reads words.
func TestNoLogAmongWords(t *testing.T) {
	t.Parallel()
	j := job{envelope: envelope, script: ". 554 no", environ: []string{"ERROR_FD=2"}}
	if j.run(t); j.code != qmail.Custom || j.line != "D554 no" {
		t.Errorf("code %d, descriptor 2: %q", j.code, j.line)
	}
}
