//go:build conformance

package qmailremote

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// send runs qmail-remote as qmail-rspawn does and returns its reports, with
// "\0" for NUL.
func (s *site) send(environ []string, message string, args ...string) string {
	s.t.Helper()
	s.write("message", message)
	file, err := os.Open(filepath.Join(s.home, "message"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command(filepath.Join(testprog.Dir(s.t), "qmail-remote"), args...)
	cmd.Env = append(append(os.Environ(), "QMAILHOME="+s.home), environ...)
	cmd.Stdin, cmd.Stderr = file, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		s.t.Errorf("qmail-remote: %v", err)
	}
	return strings.ReplaceAll(string(out), "\x00", "\\0")
}

// What a real server makes of the messages, in clear and encrypted: one
// message for each, and in it the lines that were sent.
func TestConformanceExim(t *testing.T) {
	const accepted = "r\\0K127.0.0.1 accepted message.\nRemote host said: 250 OK id="
	bodies := []string{
		"text\n", "", "\n\n\n", ".\n..\n.x\n", "8-bit \xe4\n", strings.Repeat("0123456789", 90) + "\n",
		"a\r.\nMAIL FROM:<evil@example.org>\nRCPT TO:<b@example.com>\nDATA\nevil\n.\n",
		"a\n\r.\r\nQUIT\n", "a\r\r\n.\r\rb\r", strings.Repeat("x", 800) + "\r.\r\nRSET\n",
	}
	for _, tt := range []struct{ name, ehlo, protocol string }{{"HELO", "0", "smtp"}, {"EHLO", "1", "esmtps"}} {
		t.Run(tt.name, func(t *testing.T) {
			exim := testprog.StartExim(t)
			s := newSite(t, "")
			s.write("control/smtproutes", ":127.0.0.1:"+exim.Port)
			s.write("control/smtpehlo", tt.ehlo)
			var want []string
			for _, body := range bodies {
				if got := s.send(nil, "Subject: x\n\n"+body, host, sender, rcpt); !strings.HasPrefix(got, accepted) {
					t.Errorf("%q: %q", body, got)
				}
				want = append(want, strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body))
			}
			var got []string
			for _, m := range exim.Queued(t) {
				got = append(got, m.Body)
				if !strings.Contains(m.Facts, "\n-received_protocol "+tt.protocol+"\n") || !strings.Contains(m.Facts, "-helo_name me.example\n") ||
					!strings.Contains(m.Facts, "\n<a@example.org>\n") || !slices.Equal(m.Recipients, []string{rcpt}) {
					t.Errorf("recipients %q, file\n%s", m.Recipients, m.Facts)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got\n%.2000q, want\n%.2000q", got, want)
			}
		})
	}
}

// Its answers to recipients, sizes, odd addresses.
func TestConformanceEximAnswers(t *testing.T) {
	exim := testprog.StartExim(t)
	s := newSite(t, "")
	s.write("control/smtproutes", ":127.0.0.1:"+exim.Port)
	s.write("control/smtpehlo", "1")
	for _, tt := range []struct {
		name, message, sender string
		rcpts                 []string
		want                  string // the beginning
	}{
		{"several recipients", letter, "", []string{"a@x.example", "refused@x.example", "later@x.example", "b c@x.example"},
			"r\\0h127.0.0.1 does not like recipient.\nRemote host said: 550 no such user\n\\0s127.0.0.1 does not like recipient.\nRemote host said: 451 try again\n\\0r\\0K127.0.0.1 accepted message.\n"},
		{"nobody", letter, sender, []string{"refused@x.example"}, "h127.0.0.1 does not like recipient.\nRemote host said: 550 no such user\n\\0DGiving up on 127.0.0.1.\n\\0"},
		{"too large, told by SIZE", strings.Repeat("0123456789\n", 200_000), sender, []string{rcpt}, "DConnected to 127.0.0.1 but sender was rejected.\nRemote host said: 552 "},
		{"UTF-8", letter, "jörg@bücher.example", []string{"用户@例子.example"}, "r\\0K127.0.0.1 accepted message.\n"},
	} {
		if got := s.send(nil, tt.message, append([]string{host, tt.sender}, tt.rcpts...)...); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %.500q, want %q", tt.name, got, tt.want)
		}
	}
	s.write("control/smtpehlo", "0")
	if got, want := s.send(nil, strings.Repeat("0123456789\n", 200_000), host, sender, rcpt), "r\\0D127.0.0.1 failed after I sent the message.\nRemote host said: 552 "; !strings.HasPrefix(got, want) {
		t.Errorf("too large, by HELO: %q", got)
	}
	if n := len(exim.Queued(t)); n != 2 {
		t.Errorf("%d messages in the queue, want 2", n)
	}
}
