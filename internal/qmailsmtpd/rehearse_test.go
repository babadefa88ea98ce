package qmailsmtpd

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
)

// A rehearsal answers as a session with a queue program does, and gives its
// queue what the program gets.
func TestRehearse(t *testing.T) {
	t.Parallel()
	const message = "DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\n"
	rcpt := func(all ...string) string {
		s := "HELO c\r\nMAIL FROM:<a@b>\r\n"
		for _, r := range all {
			s += "RCPT TO:<" + r + ">\r\n"
		}
		return s
	}
	for _, tt := range []struct {
		name     string
		controls map[string]string
		env      []string
		dialogue string
	}{
		{"accepted", nil, nil, rcpt("x@example.com") + message + "QUIT\r\n"},
		{"one of two", nil, nil, rcpt("x@example.org", "y@a.example.net") + message + "QUIT\r\n"},
		{"none", nil, nil, rcpt("x@example.org") + message},
		{"relay with suffix", nil, []string{"RELAYCLIENT=.out"}, rcpt("x@example.org") + message},
		{"empty relay", nil, []string{"RELAYCLIENT="}, rcpt("x@example.org") + message},
		{"too big", nil, []string{"DATABYTES=3"}, rcpt("x@example.com") + message + "NOOP\r\n"},
		{"looping", nil, nil, rcpt("x@example.com") + "DATA\r\n" + strings.Repeat("Received: x\r\n", 101) + "\r\n.\r\n"},
		{"bare LF", nil, nil, rcpt("x@example.com") + "DATA\r\na\nb\r\n.\r\n"},
		{"broken off", nil, nil, rcpt("x@example.com") + "DATA\r\na\r\n"},
		{"bad sender", map[string]string{"badmailfrom": "@b\n"}, nil, rcpt("x@example.com")},
		{"many", nil, []string{"MAXRECIPIENTS=1"}, rcpt("x@example.com", "y@example.com") + message},
	} {
		site := newSite(t, tt.controls)
		want, _ := site.connect(tt.env...).talk(tt.dialogue)
		took := func(name string) string {
			data, err := os.ReadFile(site.home + "/" + name)
			if err != nil {
				return ""
			}
			return string(data)
		}
		var body, envelope string
		conn := struct {
			io.Reader
			io.Writer
		}{strings.NewReader(tt.dialogue), new(bytes.Buffer)}
		env := &prog.Env{Environ: append(site.env[:len(site.env):len(site.env)], tt.env...)}
		open, err := Rehearse(env, conn, func(message io.Reader, get func() (qmail.Envelope, error)) string {
			data, err := io.ReadAll(message)
			if err != nil {
				t.Error(err)
			}
			body = string(data)
			if e, err := get(); err == nil {
				envelope = string(e.Bytes())
			}
			return ""
		})
		got := conn.Writer.(*bytes.Buffer).String()
		constant := func(s string) string { return accepted.ReplaceAllString(s, "250 ok\r\n") }
		ok := strings.NewReplacer("250 ok 0 qp 0\r\n", "")
		if err != nil || open || ok.Replace(constant(got)) != ok.Replace(constant(want)) {
			t.Errorf("%s: %v, %v\n%s\nwant\n%s", tt.name, open, err, got, want)
		}
		if _, without, _ := strings.Cut(body, "\n"); tt.name == "accepted" && !strings.HasSuffix(without, "\nSubject: x\n\n.dot\n") {
			t.Errorf("%s: message %q", tt.name, body)
		}
		if want := took("envelope"); envelope != want {
			t.Errorf("%s: envelope %q, want %q", tt.name, envelope, want)
		}
	}
}

// Without control/rcpthosts strangers can send anywhere, and without
// control/me there is no session.
func TestRehearseControls(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	os.Remove(site.home + "/control/rcpthosts")
	run := func(setting string) (bool, error) {
		conn := struct {
			io.Reader
			io.Writer
		}{strings.NewReader("QUIT\r\n"), io.Discard}
		return Rehearse(&prog.Env{Environ: append(site.env[:len(site.env):len(site.env)], setting)}, conn, nil)
	}
	if open, err := run("X="); !open || err != nil {
		t.Errorf("no rcpthosts: %v, %v", open, err)
	}
	if open, err := run("RELAYCLIENT="); open || err != nil {
		t.Errorf("a relay client: %v, %v", open, err)
	}
	os.Remove(site.home + "/control/me")
	if open, err := run("X="); open || err == nil {
		t.Errorf("no control/me: %v, %v", open, err)
	}
}
