package site_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/site"
	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// notes are the two rules of the notes, with the demo's addresses: the relay
// client is 127.0.0.1, everybody else on loopback a stranger.
func notes(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../testdata/site/tcp.smtp")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(string(text), "192.0.2.10", "127.0.0.1", 1)
}

// start makes and serves a site; what c leaves out is that of the notes.
func start(t *testing.T, c site.Config) *site.Site {
	t.Helper()
	c.Dir, c.Bin = t.TempDir(), testprog.Dir(t)
	if c.Domain == "" {
		c.Domain = "example.com"
	}
	if c.Rules == "" {
		c.Rules = notes(t)
	}
	s, err := site.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve("127.0.0.1:0"); err != nil {
		s.Close()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("tcpserver: %v", err)
		}
	})
	return s
}

// send sends a message and returns it as queued.
func send(t *testing.T, s *site.Site, from, text string) site.Message {
	t.Helper()
	before, err := s.Queued()
	if err != nil {
		t.Fatal(err)
	}
	reply, err := s.Send(from, "joe@example.com", "ann@example.com", []byte(text))
	if err != nil || !strings.HasPrefix(reply, "250 ok ") {
		t.Fatalf("reply %q, %v; log %q", reply, err, s.Log())
	}
	after, err := s.Queued()
	if err != nil {
		t.Fatal(err)
	}
	old := make(map[uint64]bool)
	for _, m := range before {
		old[m.Number] = true
	}
	for _, m := range after {
		if !old[m.Number] {
			return m
		}
	}
	t.Fatal("nothing new in the queue")
	return site.Message{}
}

const hello = "Subject: hello\n\nHello.\n"

// The notes' rules: who is signed, by which key, and what is verified.
func TestNotes(t *testing.T) {
	t.Parallel()
	s := start(t, site.Config{})

	t.Run("relay client is signed", func(t *testing.T) {
		m := send(t, s, "127.0.0.1", "From: Joe <joe@Example.COM>\n"+hello)
		wantField(t, m, "DKIM-Signature", "d=example.com;", "s=default;", "a=rsa-sha256;", "c=relaxed/relaxed;")
		wantField(t, m, "Authentication-Results", "")

		back := send(t, s, "127.0.0.2", string(m.Text))
		wantField(t, back, "Authentication-Results", "mail.example.com", "dkim=pass", "header.d=example.com")
		wantField(t, back, "DKIM-Status", "good")
	})
	t.Run("domain without a key passes unsigned", func(t *testing.T) {
		m := send(t, s, "127.0.0.1", "From: joe@other.example\n"+hello)
		wantField(t, m, "DKIM-Signature", "")
		wantLog(t, s, "qmail-dkim: unsigned ", "from=other.example", "reason=no-key",
			"tried=control/domainkeys/other.example/default,control/domainkeys/default")
	})
	t.Run("stranger is verified, never signed", func(t *testing.T) {
		m := send(t, s, "127.0.0.2", "From: joe@example.com\n"+hello)
		wantField(t, m, "DKIM-Signature", "")
		wantField(t, m, "Authentication-Results", "dkim=none")
		wantLog(t, s, "qmail-dkim: verify ", "result=S", "verdict=accept")
	})
	t.Run("stranger does not relay", func(t *testing.T) {
		_, err := s.Send("127.0.0.2", "joe@example.com", "ann@example.net", []byte(hello))
		if err == nil || !strings.Contains(err.Error(), "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)") {
			t.Errorf("err = %v, want the refusal", err)
		}
	})
	t.Run("a second domain by a link to the first one's key", func(t *testing.T) {
		keys := filepath.Join(s.Dir, "control", "domainkeys")
		link(t, "../example.com/default", filepath.Join(keys, "second.example", "default"))
		m := send(t, s, "127.0.0.1", "From: joe@second.example\n"+hello)
		wantField(t, m, "DKIM-Signature", "d=second.example;", "s=default;")
	})
	t.Run("one link without the domain serves every domain", func(t *testing.T) {
		keys := filepath.Join(s.Dir, "control", "domainkeys")
		link(t, "example.com/default", filepath.Join(keys, "default"))
		m := send(t, s, "127.0.0.1", "From: joe@third.example\n"+hello)
		wantField(t, m, "DKIM-Signature", "d=third.example;", "s=default;")
	})
}

// Key rollover as the notes do it: a second selector, then the rule changes.
func TestRollover(t *testing.T) {
	t.Parallel()
	s := start(t, site.Config{})
	if _, err := s.Output("domainkey", "example.com", "next"); err != nil {
		t.Fatal(err)
	}
	m := send(t, s, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, m, "DKIM-Signature", "s=default;")
	if err := s.Recompile(strings.Replace(s.Rules, "/default", "/next", 1)); err != nil {
		t.Fatal(err)
	}
	m = send(t, s, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, m, "DKIM-Signature", "s=next;")
}

// Signing in stages: only mail to the listed recipients.
func TestRecipients(t *testing.T) {
	t.Parallel()
	rule := `:allow,RELAYCLIENT="",QMAILQUEUE="bin/qmail-dkim",DKIMKEY="control/domainkeys/%/default",DKIMRCPT="`
	s := start(t, site.Config{Rules: rule + "@aol.jp:@example.com\"\n"})
	m := send(t, s, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, m, "DKIM-Signature", "d=example.com;")
	wantLog(t, s, "qmail-dkim: sign ", "match=ann@example.com")
	if err := s.Recompile(rule + "@aol.jp\"\n"); err != nil {
		t.Fatal(err)
	}
	m = send(t, s, "127.0.0.1", "From: joe@example.com\n"+hello)
	wantField(t, m, "DKIM-Signature", "")
	wantLog(t, s, "qmail-dkim: unsigned ", "reason=rcpt")
}

// A key that cannot be used must not let mail leave unsigned.
func TestUnusableKey(t *testing.T) {
	t.Parallel()
	s := start(t, site.Config{})
	file := filepath.Join(s.Dir, "control", "domainkeys", "example.com", "rsa.private_default")
	if err := os.WriteFile(file, []byte("no key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reply, err := s.Send("127.0.0.1", "joe@example.com", "ann@example.net", []byte("From: joe@example.com\n"+hello))
	if err != nil || !strings.HasPrefix(reply, "451 qmail-dkim: ") || strings.Contains(reply, "domainkeys") {
		t.Errorf("reply %q, %v; want a 451 that does not say where the key is", reply, err)
	}
	if queued, err := s.Queued(); err != nil || len(queued) != 0 {
		t.Errorf("%d messages in the queue, %v; want none", len(queued), err)
	}
	wantLog(t, s, "qmail-dkim: refuse ", "key=control/domainkeys/example.com/default")
}

// What the letters refuse, the client hears from qmail-smtpd in qmail-dkim's
// words, and it is not queued.
func TestRefused(t *testing.T) {
	t.Parallel()
	s := start(t, site.Config{})
	tampered := string(send(t, s, "127.0.0.1", "From: joe@example.com\n"+hello).Text) + "More.\n"
	for _, tt := range []struct{ letters, reply, log string }{
		{"FGHIKLMNOQRTUVWjp", "554 qmail-dkim: signature verify error: message body does not hash to bh value (#5.7.7)", "verdict=reject"},
		{"u", "451 qmail-dkim: signature verify error: message body does not hash to bh value (#4.7.7)", "verdict=defer"},
		{"S", "250 ok ", "verdict=accept"},
		{`U",DKIMDRYRUN="`, "250 ok ", "verdict=accept dryrun=reject"},
	} {
		if err := s.Recompile(`:allow,DKIMVERIFY="` + tt.letters + `",QMAILQUEUE="bin/qmail-dkim"` + "\n"); err != nil {
			t.Fatal(err)
		}
		before, err := s.Queued()
		if err != nil {
			t.Fatal(err)
		}
		reply, err := s.Send("127.0.0.2", "joe@example.com", "ann@example.com", []byte(tampered))
		if err != nil || reply != tt.reply && !(tt.reply == "250 ok " && strings.HasPrefix(reply, tt.reply)) {
			t.Errorf("%s: reply %q, %v; want %q", tt.letters, reply, err, tt.reply)
		}
		after, err := s.Queued()
		if queued := len(after) > len(before); err != nil || queued != strings.HasPrefix(tt.reply, "250") {
			t.Errorf("%s: queued %v, %v", tt.letters, queued, err)
		}
		wantLog(t, s, "qmail-dkim: ", "from=example.com", "result=U", tt.log)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// wantField checks that a field holds every word; "" that there is none.
func wantField(t *testing.T, m site.Message, name string, words ...string) {
	t.Helper()
	field := m.Field(name)
	for _, w := range words {
		if w == "" && field != "" || !strings.Contains(field, w) {
			t.Errorf("field %s is %q, want %q", name, field, w)
		}
	}
}

// wantLog checks that one line of the log begins with the first word and
// holds the others.
func wantLog(t *testing.T, s *site.Site, words ...string) {
	t.Helper()
next:
	for _, line := range s.Log() {
		if !strings.HasPrefix(line, words[0]) {
			continue
		}
		for _, w := range words[1:] {
			if !strings.Contains(line, w) {
				continue next
			}
		}
		return
	}
	t.Errorf("no line %q in the log:\n%s", words, strings.Join(s.Log(), "\n"))
}

// Mail ends where the site says.
func TestMaildir(t *testing.T) {
	t.Parallel()
	s := start(t, site.Config{Sink: site.Maildir})
	const text = "From: joe@example.com\nSubject: test\n\nbody\n"
	m := send(t, s, "127.0.0.1", text)
	if m.Sender != "joe@example.com" || len(m.Recipients) != 1 || m.Recipients[0] != "ann@example.com" {
		t.Errorf("envelope %q %q", m.Sender, m.Recipients)
	}
	if !strings.HasPrefix(string(m.Text), "DKIM-Signature: ") || !strings.HasSuffix(string(m.Text), "\n"+text) {
		t.Errorf("message %q", m.Text)
	}
	back := send(t, s, "127.0.0.2", string(m.Text))
	wantField(t, back, "Authentication-Results", "dkim=pass", "header.d=example.com")
}
