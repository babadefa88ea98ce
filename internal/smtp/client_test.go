package smtp_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"ucspi-go/internal/smtp"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/socket"
)

// A talk is one session with a sink.
type talk struct {
	script  string
	options smtp.Options
	mail    smtp.Envelope
	message io.Reader
}

// run has the session and returns what the client has found out, in words,
// and the sink's log.
func (k talk) run(t *testing.T) (outcome, log string) {
	t.Helper()
	script, err := smtpsink.ParseScript(k.script)
	if err != nil {
		t.Fatal(err)
	}
	sink, err := smtpsink.Start("127.0.0.1:0", script)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	conn, err := smtp.Dial(socket.Direct(t.Context()), sink.Addr, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if k.options.Name == "" {
		k.options.Name = "me.example"
	}
	if k.mail.Recipients == nil {
		k.mail.Recipients = []string{"b@example.com"}
	}
	if k.message == nil {
		k.message = strings.NewReader("text\n")
	}
	client := smtp.NewClient(conn, k.options)
	outcome = k.send(client)
	client.Quit()
	log, err = sink.Log(1)
	if err != nil {
		t.Error(err)
	}
	return outcome, strings.TrimSuffix(strings.TrimPrefix(log, "connect\n"), "end\n")
}

func (k talk) send(c *smtp.Client) string {
	if err := c.Start(); err != nil {
		return describe(err)
	}
	replies, err := c.Envelope(k.mail)
	said := ""
	for _, r := range replies {
		said += fmt.Sprintf("rcpt %d, ", r.Code)
	}
	if err != nil {
		return said + describe(err)
	}
	reply, err := c.Data(k.message)
	if err != nil {
		return said + describe(err)
	}
	return said + "sent: " + reply.Text
}

func describe(err error) string {
	var (
		refusal *smtp.Refusal
		lost    *smtp.Lost
		failure *smtp.TLSError
	)
	switch {
	case errors.As(err, &failure) && !strings.Contains(err.Error(), "out of turn"):
		return "no TLS"
	case errors.As(err, &refusal):
		return fmt.Sprintf("refused at %d: %s", refusal.Stage, refusal.Reply.Text)
	case errors.As(err, &lost) && errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("late, sent %v", lost.MaybeSent)
	case errors.As(err, &lost):
		return fmt.Sprintf("lost, sent %v", lost.MaybeSent)
	}
	return err.Error()
}

const (
	hello   = "HELO me.example\n"
	envelop = "MAIL FROM:<>\nRCPT TO:<b@example.com>\n"
	sent    = hello + envelop + "DATA\n| text\n.\nQUIT\n"
)

func TestClient(t *testing.T) {
	t.Parallel()
	many := make([]string, 120)
	for i := range many {
		many[i] = fmt.Sprintf("r%d", i)
	}
	ehlo := smtp.Options{Extended: true}
	tests := []struct {
		name string
		talk
		outcome, log string
	}{
		{"accepted", talk{}, "rcpt 250, sent: 250 ok\n", sent},
		{"texts of several lines", talk{script: `connect 220-a\n220 b` + "\n" + `HELO 250-a\n250 b` + "\n" + `MAIL 250-\n250` + "\n" + `DATA 354-\n354` + "\n" + `. 250-a\n250 b`},
			"rcpt 250, sent: 250-a\n250 b\n", sent},
		{"greeting 554", talk{script: "connect 554 no"}, "refused at 0: 554 no\n", "QUIT\n"},
		{"greeting 250", talk{script: "connect 250 hi"}, "refused at 0: 250 hi\n", "QUIT\n"},
		{"greeting of another protocol", talk{script: "connect SSH-2.0"}, "refused at 0: SSH-2.0\n", "QUIT\n"},
		{"HELO 451", talk{script: "HELO 451 later"}, "refused at 1: 451 later\n", hello + "QUIT\n"},
		{"HELO 220", talk{script: "HELO 220 hm"}, "refused at 1: 220 hm\n", hello + "QUIT\n"},
		{"MAIL 550", talk{script: "MAIL 550 no"}, "refused at 2: 550 no\n", hello + "MAIL FROM:<>\nQUIT\n"},
		{"MAIL 354", talk{script: "MAIL 354 early"}, "refused at 2: 354 early\n", hello + "MAIL FROM:<>\nQUIT\n"},
		{"RCPT 550", talk{script: "RCPT 550 no"}, "rcpt 550, refused at 3: 550 no\n", hello + envelop + "QUIT\n"},
		{"RCPT 354", talk{script: "RCPT 354 early"}, "rcpt 354, refused at 3: 354 early\n", hello + envelop + "QUIT\n"},
		{"one RCPT of three", talk{script: "RCPT 550 no\nRCPT 250 yes\nRCPT 450 later", mail: smtp.Envelope{Recipients: []string{"a", "b", "c"}}},
			"rcpt 550, rcpt 250, rcpt 450, sent: 250 ok\n", hello + "MAIL FROM:<>\nRCPT TO:<a>\nRCPT TO:<b>\nRCPT TO:<c>\nDATA\n| text\n.\nQUIT\n"},
		{"no recipient", talk{mail: smtp.Envelope{Recipients: []string{}}}, "refused at 3: ", hello + "MAIL FROM:<>\nQUIT\n"},
		{"RCPT answered in words", talk{script: "RCPT what?"}, "rcpt 0, refused at 3: what?\n", hello + envelop + "QUIT\n"},
		{"RCPT answered in words, then well", talk{script: "RCPT what?\nRCPT 250 ok", mail: smtp.Envelope{Recipients: []string{"a", "b"}}},
			"rcpt 0, lost, sent false", hello + "MAIL FROM:<>\nRCPT TO:<a>\n"},
		{"DATA 554", talk{script: "DATA 554 no"}, "rcpt 250, refused at 4: 554 no\n", hello + envelop + "DATA\nQUIT\n"},
		{"DATA 250", talk{script: "DATA 250 ok"}, "rcpt 250, refused at 4: 250 ok\n", hello + envelop + "DATA\nQUIT\n"},
		{"message 554", talk{script: ". 554 no"}, "rcpt 250, refused at 5: 554 no\n", sent},
		{"message 354", talk{script: ". 354 more"}, "rcpt 250, refused at 5: 354 more\n", sent},
		{"message of two classes", talk{script: `. 250-ok\n550 no`}, "rcpt 250, refused at 5: 250-ok\n550 no\n", sent},

		{"closed at connect", talk{script: "connect close"}, "lost, sent false", ""},
		{"closed in the greeting", talk{script: `connect "220-a\r\n" close`}, "lost, sent false", ""},
		{"closed at HELO", talk{script: "HELO close"}, "lost, sent false", hello},
		{"closed at MAIL", talk{script: "MAIL close"}, "lost, sent false", hello + "MAIL FROM:<>\n"},
		{"closed at second RCPT", talk{script: "RCPT 250 ok\nRCPT close", mail: smtp.Envelope{Recipients: []string{"a", "b"}}},
			"rcpt 250, lost, sent false", hello + "MAIL FROM:<>\nRCPT TO:<a>\nRCPT TO:<b>\n"},
		{"closed at DATA", talk{script: "DATA close"}, "rcpt 250, lost, sent false", hello + envelop + "DATA\n"},
		{"closed after the message", talk{script: ". close"}, "rcpt 250, lost, sent true", hello + envelop + "DATA\n| text\n.\n"},
		{"closed within the last reply", talk{script: `. "250-ok\r\n" close`}, "rcpt 250, lost, sent true", hello + envelop + "DATA\n| text\n.\n"},
		{"hangs at connect", talk{script: "connect hang", options: smtp.Options{Timeout: time.Millisecond}}, "late, sent false", ""},
		{"endless greeting", talk{script: `connect "` + strings.Repeat(`220-\r\n`, smtp.MaxReply/6+1) + `"`}, "lost, sent false", ""},

		{"answers before the question", talk{script: `RCPT 250 ok\n354 go\n250 accepted`}, "rcpt 250, lost, sent false", hello + envelop},
		{"421 out of turn", talk{script: `MAIL 250 ok\n421 bye`}, "lost, sent false", hello + "MAIL FROM:<>\n"},

		{"partial line", talk{message: strings.NewReader("text\nmore")}, "rcpt 250, smtp: message: smtp: the last line has no end", hello + envelop + "DATA\n"},
		{"message that cannot be read", talk{message: iotest.ErrReader(io.ErrClosedPipe)}, "rcpt 250, smtp: message: io: read/write on closed pipe", hello + envelop + "DATA\n"},
		{"addresses", talk{mail: smtp.Envelope{Sender: "a b@example.org", Recipients: []string{`x"y@example.com`}}}, "rcpt 250, sent: 250 ok\n",
			hello + "MAIL FROM:<\"a b\"@example.org>\nRCPT TO:<\"x\\\"y\"@example.com>\nDATA\n| text\n.\nQUIT\n"},

		{"EHLO", talk{options: ehlo, mail: smtp.Envelope{Size: 5, EightBit: true}}, "rcpt 250, sent: 250 ok\n", strings.Replace(sent, "HELO", "EHLO", 1)},
		{"EHLO refused", talk{options: ehlo, script: "EHLO 502 no"}, "rcpt 250, sent: 250 ok\n", "EHLO me.example\n" + sent},
		{"EHLO and HELO refused", talk{options: ehlo, script: "EHLO 502 no\nHELO 550 no"}, "refused at 1: 550 no\n", "EHLO me.example\n" + hello + "QUIT\n"},
		{"EHLO answered in words", talk{options: ehlo, script: "EHLO what?"}, "lost, sent false", "EHLO me.example\n"},
		{"SIZE and 8BITMIME", talk{options: ehlo, script: `EHLO 250-sink\n250-size 1000\n250 8BitMime`, mail: smtp.Envelope{Size: 5, EightBit: true}}, "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\nMAIL FROM:<> SIZE=5 BODY=8BITMIME\nRCPT TO:<b@example.com>\nDATA\n| text\n.\nQUIT\n"},
		{"SIZE and 8BITMIME without need", talk{options: ehlo, script: `EHLO 250-sink\n250-SIZE\n250 8BITMIME`}, "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\n" + envelop + "DATA\n| text\n.\nQUIT\n"},
		{"the greeting's line offers nothing", talk{options: ehlo, script: `EHLO 250 SIZE`, mail: smtp.Envelope{Size: 5}}, "rcpt 250, sent: 250 ok\n", strings.Replace(sent, "HELO", "EHLO", 1)},
		{"SMTPUTF8", talk{options: ehlo, script: `EHLO 250-sink\n250 SMTPUTF8`, mail: smtp.Envelope{Recipients: []string{"用户@例子.example"}}}, "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\nMAIL FROM:<> SMTPUTF8\nRCPT TO:<用户@例子.example>\nDATA\n| text\n.\nQUIT\n"},
		{"SMTPUTF8 not offered", talk{options: ehlo, mail: smtp.Envelope{Sender: "jörg@example.org"}}, "rcpt 250, sent: 250 ok\n",
			"EHLO me.example\nMAIL FROM:<jörg@example.org>\nRCPT TO:<b@example.com>\nDATA\n| text\n.\nQUIT\n"},

		{"pipelining, sender refused", talk{options: ehlo, script: `EHLO 250-sink\n250 PIPELINING` + "\nMAIL 550 no"}, "refused at 2: 550 no\n", "EHLO me.example\n" + envelop + "QUIT\n"},
		{"pipelining, all refused", talk{options: ehlo, script: `EHLO 250-sink\n250 PIPELINING` + "\nRCPT 550 no"}, "rcpt 550, refused at 3: 550 no\n", "EHLO me.example\n" + envelop + "QUIT\n"},
		{"pipelining, many", talk{options: ehlo, script: `EHLO 250-sink\n250 PIPELINING`, mail: smtp.Envelope{Recipients: many}},
			strings.Repeat("rcpt 250, ", len(many)) + "sent: 250 ok\n", "EHLO me.example\nMAIL FROM:<>\nRCPT TO:<" + strings.Join(many, ">\nRCPT TO:<") + ">\nDATA\n| text\n.\nQUIT\n"},
		{"many", talk{mail: smtp.Envelope{Recipients: many}},
			strings.Repeat("rcpt 250, ", len(many)) + "sent: 250 ok\n", hello + "MAIL FROM:<>\nRCPT TO:<" + strings.Join(many, ">\nRCPT TO:<") + ">\nDATA\n| text\n.\nQUIT\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			outcome, log := tt.run(t)
			if outcome != tt.outcome || log != tt.log {
				t.Errorf("%q, log\n%swant %q,\n%s", outcome, log, tt.outcome, tt.log)
			}
		})
	}
}

// written is a server that answers each command when it has come, and returns
// what the client has written, each write by itself.
func written(t *testing.T, offers string, k talk) (writes []string) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan bool)
	go func() {
		defer close(done)
		io.WriteString(theirs, "220 sink\r\n")
		buf := make([]byte, 1<<20)
		for inData := false; ; {
			n, err := theirs.Read(buf)
			if err != nil {
				return
			}
			writes = append(writes, string(buf[:n]))
			for command := range strings.Lines(string(buf[:n])) {
				answer := "250 ok\r\n"
				switch {
				case inData && command != ".\r\n":
					continue
				case strings.HasPrefix(command, "EHLO"):
					answer = "250-sink\r\n250 " + offers + "\r\n"
				case command == "DATA\r\n":
					answer = "354 go\r\n"
				}
				inData = command == "DATA\r\n"
				io.WriteString(theirs, answer)
			}
		}
	}()
	client := smtp.NewClient(ours, smtp.Options{Name: "me", Extended: true})
	if outcome := k.send(client); !strings.HasSuffix(outcome, "sent: 250 ok\n") {
		t.Error(outcome)
	}
	ours.Close()
	<-done
	return writes
}

// Commands that may be sent together are, but not so many that neither side
// could go on.
func TestPipelining(t *testing.T) {
	t.Parallel()
	k := talk{mail: smtp.Envelope{Recipients: make([]string, 120)}, message: strings.NewReader("text\n")}
	for offers, want := range map[string]string{
		"SIZE":       "1" + strings.Repeat(" 1", 121) + " 1 2",
		"PIPELINING": "1 50 50 21 1 2",
	} {
		var counts []string
		for _, w := range written(t, offers, k) {
			counts = append(counts, strconv.Itoa(strings.Count(w, "\r\n")))
		}
		k.message = strings.NewReader("text\n")
		if got := strings.Join(counts, " "); got != want {
			t.Errorf("%s: commands written at a time: %s, want %s", offers, got, want)
		}
	}
}

// No write is so large that the time for one would be too short for it.
func TestWritesAreSmall(t *testing.T) {
	t.Parallel()
	k := talk{mail: smtp.Envelope{Recipients: []string{"b"}}, message: strings.NewReader(strings.Repeat("x", 100_000) + "\n")}
	size := 0
	for _, w := range written(t, "SIZE", k) {
		if size += len(w); len(w) > 8<<10 {
			t.Errorf("%d bytes at once", len(w))
		}
	}
	if size < 100_000 {
		t.Errorf("%d bytes in all", size)
	}
}

// What a server says to many recipients does not fill the memory.
func TestManyLongRefusals(t *testing.T) {
	t.Parallel()
	const each = 60_000
	script, err := smtpsink.ParseScript("RCPT 550 " + strings.Repeat("x", each))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := smtpsink.Start("127.0.0.1:0", script)
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	conn, err := smtp.Dial(socket.Direct(t.Context()), sink.Addr, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClient(conn, smtp.Options{Name: "me"})
	defer client.Quit()
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	replies, err := client.Envelope(smtp.Envelope{Recipients: make([]string, 100)})
	size := 0
	for _, r := range replies {
		if size += len(r.Text); r.Code != 550 {
			t.Errorf("code %d", r.Code)
		}
	}
	if !strings.HasPrefix(describe(err), "refused at 3: ") || len(replies) != 100 || size != 1<<20 {
		t.Errorf("%d replies with %d bytes, %.100s", len(replies), size, describe(err))
	}
}

// The cases of a message that tries to smuggle in another, with the CR
// at every place where a buffer can end: the server sees one message and not
// one command of it.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	const evil = "MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.com>\r\nDATA\r\nevil\r\n.\r\n"
	for _, end := range []string{"\r.\n", "\r.\r\n", "\r.\r", "\n.\r\n", "\n.\n", "\n.\r", "\r\n.\r\n", "\r\n.\r", "\r\n.\n", "\r\r\n.\r\n", "\r"} {
		for _, edge := range []int{1, 8 << 10, 32 << 10} {
			for fill := max(0, edge-len(end)); fill <= edge; fill++ {
				before := strings.Repeat("x", fill)
				message := before + end + evil
				outcome, log := talk{message: strings.NewReader(message)}.run(t)
				want := hello + envelop + "DATA\n"
				normal := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(message)
				for line := range strings.Lines(normal) {
					want += "| " + line
				}
				want += ".\nQUIT\n"
				if outcome != "rcpt 250, sent: 250 ok\n" || log != want {
					t.Fatalf("%q after %d bytes: %q, log\n%.1000s", end, fill, outcome, log)
				}
			}
		}
	}
}

// A server that drips its reply has no more time than for one at once.
func TestDrippedReply(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() {
		// Each byte is taken at once, so that only the client's clock ends this.
		for range time.Tick(time.Millisecond) {
			if _, err := io.WriteString(theirs, "\r"); err != nil {
				return
			}
		}
	}()
	client := smtp.NewClient(ours, smtp.Options{Timeout: 50 * time.Millisecond})
	if err := client.Start(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Start: %v", err)
	}
	client.Quit()
}

// A server that stops reading ends a message after the time for one write.
func TestReadsNoMessage(t *testing.T) {
	t.Parallel()
	k := talk{script: "DATA \"354 go\\r\\n\"", options: smtp.Options{Timeout: 50 * time.Millisecond}}
	ours, theirs := net.Pipe()
	defer theirs.Close()
	go func() {
		io.WriteString(theirs, "220 sink\r\n")
		buf := make([]byte, 100)
		for _, reply := range []string{"250 ok", "250 ok", "250 ok", "354 go"} {
			theirs.Read(buf)
			io.WriteString(theirs, reply+"\r\n")
		}
	}()
	client := smtp.NewClient(ours, k.options)
	k.mail.Recipients, k.message = []string{"b"}, strings.NewReader(strings.Repeat("text\n", 10_000))
	if outcome := k.send(client); outcome != "rcpt 250, late, sent false" {
		t.Error(outcome)
	}
	client.Quit()
}
