package qmailsmtpd

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A taker takes messages in the place of the queue program. It keeps those
// that it is given whole, and refuses those that ask for it.
type taker struct {
	queued  []string // envelopes, each with its message, without the Received field
	message strings.Builder
	spoiled bool
}

const (
	refuseMe = "refuse me"
	refused  = "554 refused by the queue program"
)

func (q *taker) put(piece []byte) { q.message.Write(piece) }
func (q *taker) spoil()           { q.spoiled = true }
func (q *taker) abandon()         {}

func (q *taker) finish(e *envelope) (reply string, pid int) {
	var w strings.Builder
	if err := e.writeTo(&w); err != nil {
		return err.Error(), 0
	}
	_, message, _ := strings.Cut(q.message.String(), "\n  by ")
	_, message, _ = strings.Cut(message, "\n")
	switch {
	case q.spoiled:
		return "451 qq read error (#4.3.0)", 0
	case strings.Contains(message, refuseMe):
		return refused, 0
	}
	q.queued = append(q.queued, w.String()+message)
	return "", 1
}

// settings are the part of a configuration that decides what is said.
type settings struct {
	relaying      bool
	dataBytes     uint64
	maxRecipients uint64
	lineBytes     int // size of the input buffer
}

func (c settings) config() config {
	return config{
		greeting: "mx", remoteHost: "unknown", remoteIP: "unknown", local: "mx", clientName: "unknown",
		rcpthosts:   map[string]bool{"example.com": true, ".example.net": true},
		badMailFrom: map[string]bool{"bad@example.org": true, "@spam.example": true},
		relaying:    c.relaying, relayClient: "", dataBytes: c.dataBytes, maxRecipients: c.maxRecipients,
	}
}

// play runs a session on an input that comes in the chunks of next, and
// returns all replies and what was queued.
func play(c settings, input string, next func() int) (replies string, queued []string, end error) {
	var out strings.Builder
	q := new(taker)
	s := &session{config: c.config(), out: bufio.NewWriterSize(&out, maxWrite)}
	s.open = func() (receiver, error) {
		q.message.Reset()
		q.spoiled = false
		return q, nil
	}
	s.in = bufio.NewReaderSize(flushReader{&chunks{input, next}, s.out}, c.lineBytes)
	err := s.serve()
	if reply, ok := err.(lastReply); ok {
		s.reply(string(reply))
	}
	s.out.Flush()
	s.endTransaction()
	return accepted.ReplaceAllString(out.String(), "250 queued\r\n"), q.queued, err
}

// chunks is an input that comes in pieces of any size.
type chunks struct {
	rest string
	next func() int
}

func (c *chunks) Read(p []byte) (int, error) {
	if c.rest == "" {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), max(c.next(), 1))], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// A dialogue is a session as RFC 5321 has it, and the C program for what that
// leaves open.
type dialogue struct {
	settings
	config config
	input  string // what is left of it
	said   strings.Builder
	queued []string

	open       bool // a transaction is
	sender     string
	recipients []string
}

// converse says what the replies are, and what is to be queued, looking at all
// of the input at once.
func converse(c settings, input string) (replies string, queued []string, end error) {
	d := &dialogue{settings: c, config: c.config(), input: input}
	d.say("220 mx ESMTP")
	for end == nil {
		end = d.line()
	}
	if reply, ok := end.(lastReply); ok {
		d.say(string(reply))
	}
	return d.said.String(), d.queued, end
}

func (d *dialogue) say(lines ...string) {
	for _, line := range lines {
		d.said.WriteString(line + "\r\n")
	}
}

func (d *dialogue) line() error {
	at := strings.IndexByte(d.input, '\n')
	if at >= d.lineBytes || at < 0 && len(d.input) >= d.lineBytes {
		return errLongLine
	}
	if at < 0 {
		return io.EOF
	}
	line := strings.TrimSuffix(d.input[:at], "\r")
	d.input = d.input[at+1:]
	line, _, _ = strings.Cut(line, "\x00")
	verb, argument, _ := strings.Cut(line, " ")
	argument = strings.TrimLeft(argument, " ")
	switch strings.ToUpper(verb) {
	case "HELO":
		d.say("250 mx")
		d.open = false
	case "EHLO":
		d.say("250-mx", "250-PIPELINING", "250 8BITMIME")
		d.open = false
	case "RSET":
		d.say("250 flushed")
		d.open = false
	case "NOOP":
		d.say("250 ok")
	case "HELP":
		d.say("214 qmail home page: https://cr.yp.to/qmail.html")
	case "VRFY":
		d.say("252 send some mail, i'll try my best")
	case "QUIT":
		d.say("221 mx")
		return errQuit
	case "MAIL":
		d.mail(mailbox(argument))
	case "RCPT":
		d.rcpt(mailbox(argument))
	case "DATA":
		return d.data()
	default:
		d.say("502 unimplemented (#5.5.1)")
	}
	return nil
}

func (d *dialogue) mail(address string) {
	if len(address) >= maxAddress {
		d.say("555 syntax error (#5.5.4)")
		return
	}
	d.say("250 ok")
	d.open, d.sender, d.recipients = true, address, nil
}

func (d *dialogue) rcpt(address string) {
	_, domain, hasDomain := strings.Cut(address, "@")
	for strings.Contains(domain, "@") {
		_, domain, _ = strings.Cut(domain, "@")
	}
	domain = asciiLower(domain)
	from := asciiLower(d.sender)
	switch {
	case !d.open:
		d.say("503 MAIL first (#5.5.1)")
	case len(address) >= maxAddress:
		d.say("555 syntax error (#5.5.4)")
	case from == "bad@example.org" || strings.HasSuffix(from, "@spam.example"):
		d.say("553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)")
	case !d.config.relaying && hasDomain && domain != "example.com" && !strings.HasSuffix(domain, ".example.net"):
		d.say("553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
	case d.maxRecipients > 0 && uint64(len(d.recipients)) >= d.maxRecipients:
		d.say("452 sorry, too many recipients (#4.5.3)")
	default:
		d.say("250 ok")
		d.recipients = append(d.recipients, address)
	}
}

func (d *dialogue) data() error {
	if !d.open {
		d.say("503 MAIL first (#5.5.1)")
		return nil
	}
	if len(d.recipients) == 0 {
		d.say("503 RCPT first (#5.5.1)")
		return nil
	}
	d.say("354 go ahead")
	d.open = false
	message, rest, err := reference(d.input)
	if err != nil {
		return err
	}
	d.input = rest
	switch {
	case countHops(message) >= maxHops:
		d.say("554 too many hops, this message is looping (#5.4.6)")
	case d.dataBytes > 0 && uint64(len(message)) > d.dataBytes:
		d.say("552 sorry, that message size exceeds my databytes limit (#5.3.4)")
	case strings.Contains(message, refuseMe):
		d.say(refused)
	default:
		d.say("250 queued")
		records := "F" + d.sender + "\x00"
		for _, r := range d.recipients {
			records += "T" + r + "\x00"
		}
		d.queued = append(d.queued, records+"\x00"+message)
	}
	return nil
}

// mailbox returns the address of an argument that RFC 5321 allows, and what
// parseAddress takes for one otherwise.
func mailbox(argument string) string {
	if m := path.FindStringSubmatch(argument); m != nil {
		local, quoted, domain := m[1], m[2], m[3]
		if quoted != "" {
			local = quotedPair.ReplaceAllString(quoted[1:len(quoted)-1], "$1")
		}
		return local + domain
	}
	return string(parseAddress([]byte(argument)))
}

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}

// countHops counts the lines of a header that begin like Received or
// Delivered-To.
func countHops(message string) (hops int) {
	for line := range strings.SplitSeq(message, "\n") {
		line = asciiLower(line)
		switch {
		case line == "":
			return hops
		case strings.HasPrefix(line, "received"), strings.HasPrefix(line, "delivered"):
			hops++
		}
	}
	return hops
}

// words are what the dialogues of the tests are made of: byte 0x80 is the
// first. Other bytes stand for themselves.
var words = []string{
	"MAIL FROM:<a@b>\r\n", "mail from:<bad@Example.org>\r\n", "MAIL FROM:<>\r\n", "MAIL FROM:<x@spam.example> SIZE=1\r\n", "MAIL FROM:<ユーザー@例え.jp> SMTPUTF8\r\n",
	"RCPT TO:<c@example.com>\r\n", "RCPT TO:<d@sub.EXAMPLE.net>\r\n", "rcpt to:<e@elsewhere>\r\n", "RCPT TO:<postmaster>\r\n", "RCPT TO:<@r1,@r2:f@example.com>\r\n",
	`RCPT TO:<"g \"h\" \\>"@example.com>` + "\r\n", "RCPT TO: i@example.com\r\n", "RCPT TO:<" + strings.Repeat("j", 890) + "@example.com>\r\n",
	"DATA\r\n", ".\r\n", "\r\n.\r\n", "\n.\r\n", "\r\n.\n", "\n.\n", "\r.\r\n", "\r\n.\r", "\r.\r", "..\r\n", ".", "\r\n", "\r", "\n", "\x00", "\xff",
	"RSET\r\n", "HELO x\r\n", "EHLO y\r\n", "NOOP\r\n", "VRFY z\r\n", "HELP\r\n", "QUIT\r\n", "EXPN\r\n", "BDAT 5 LAST\r\n", "MAIL FROM:<", "RCPT TO:<", "DATA", " ",
	"Received: x\r\n", strings.Repeat("Delivered-To: x\r\n", 99), "Subject: s\r\n\r\n", refuseMe,
	strings.Repeat("x", 31), strings.Repeat("x", 100), strings.Repeat("y", 1000) + "\r\n", "MAIL FROM:<evil@example.org>\r\nRCPT TO:<c@example.com>\r\nDATA\r\nsmuggled\r\n.\r\n",
}

func expand(script []byte) string {
	var b strings.Builder
	for _, c := range script {
		if i := int(c) - 0x80; i >= 0 && i < len(words) {
			b.WriteString(words[i])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// checkDialogue plays a script in chunks of several kinds. What is said and
// what is queued must not depend on them.
func checkDialogue(t *testing.T, script []byte, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	c := settings{relaying: seed&1 != 0, lineBytes: 1024}
	if seed&2 != 0 {
		c.dataBytes = 150
	}
	if seed&4 != 0 {
		c.maxRecipients = 2
	}
	if seed&8 != 0 {
		c.lineBytes = 32
	}
	input := expand(script)
	replies, queued, end := converse(c, input)
	for name, next := range map[string]func() int{
		"at once":     func() int { return len(input) },
		"byte":        func() int { return 1 },
		"few bytes":   func() int { return 1 + random.IntN(5) },
		"some bytes":  func() int { return 1 + random.IntN(200) },
		"any of them": func() int { return 1 << random.IntN(12) },
	} {
		gotReplies, gotQueued, gotEnd := play(c, input, next)
		if gotReplies != replies || gotEnd != end {
			t.Fatalf("%+v, %s: sent %q\ngot  %q, %v\nwant %q, %v", c, name, input, gotReplies, gotEnd, replies, end)
		}
		if !slices.Equal(gotQueued, queued) {
			t.Fatalf("%+v, %s: sent %q\nqueued %q\nwant   %q", c, name, input, gotQueued, queued)
		}
	}
}

func FuzzDialogue(f *testing.F) {
	f.Fuzz(func(t *testing.T, script []byte, seed uint64) { checkDialogue(t, script, seed) })
}

// The fuzz test's property for dialogues that are made at random, most of them
// of what has a meaning, and so that many messages are queued.
func TestRandomDialogues(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 321))
	transaction := []byte{word("MAIL FROM:<a@b>\r\n"), word("RCPT TO:<c@example.com>\r\n"), word("DATA\r\n")}
	messages := 0
	for seed := range uint64(6000) {
		var script []byte
		for range random.IntN(30) {
			switch n := random.IntN(10); {
			case n < 3:
				script = append(script, transaction...)
			case n < 9:
				script = append(script, 0x80+byte(random.IntN(len(words))))
			default:
				script = append(script, byte(random.IntN(0x80)))
			}
		}
		checkDialogue(t, script, seed)
		_, queued, _ := converse(settings{lineBytes: 1024}, expand(script))
		messages += len(queued)
	}
	if messages < 1000 {
		t.Errorf("%d messages in all dialogues prove little", messages)
	}
}

// word returns the byte that stands for a word.
func word(s string) byte { return 0x80 + byte(slices.Index(words, s)) }

// Without memory for a recipient the session ends, as from the C program.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := &session{config: settings{}.config(), out: bufio.NewWriter(&out)}
	s.alloc = func(int) ([]byte, error) { return nil, syscall.ENOMEM }
	s.open = func() (receiver, error) { return nil, errors.New("not reached") }
	const each = 100
	fit := firstPiece / (each + len("@example.com") + 2)
	rcpt := fmt.Sprintf("RCPT TO:<%s@example.com>\r\n", strings.Repeat("x", each))
	s.in = bufio.NewReader(flushReader{strings.NewReader("MAIL FROM:<>\r\n" + strings.Repeat(rcpt, fit+1) + "DATA\r\n"), s.out})
	err := s.serve()
	s.out.Flush()
	if want := "220 mx ESMTP\r\n" + strings.Repeat(ok, 1+fit); out.String() != want || err != lastReply(outOfMemory) {
		t.Errorf("got %q, %v; want %q", out.String(), err, want)
	}
}
