package mailpath

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/qmailsmtpd"
	"ucspi-go/internal/smtp"
)

// What the client sends arrives behind qmail-smtpd byte for byte, but for CR LF
// at the end of a line, which is LF there, and a last line without an end.
func TestClientSendsTheMessageAsItIs(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "control"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "control/me"), []byte("me\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 64<<10-1)
	for _, tt := range []struct{ sent, want string }{
		{"a\n.b\n..\n.\nc\n", "a\n.b\n..\n.\nc\n"},
		{"a\r\n.\r\n\r\nb\r\n", "a\n.\n\nb\n"},
		{"a\rb\n\r\rc\r\n", "a\rb\n\r\rc\n"},
		{"\r\r\n", "\r\n"},
		{"no end", "no end\n"},
		{"", ""},
		{".", ".\n"},
		{long + "\r\nx\n", long + "\nx\n"},
		{long + "x\r\n.\n", long + "x\n.\n"},
		{long + ".\n", long + ".\n"},
		{long + "\n.\n", long + "\n.\n"},
	} {
		ours, theirs := net.Pipe()
		got := ""
		done := make(chan error, 1)
		go func() {
			_, err := qmailsmtpd.Rehearse(&prog.Env{Environ: []string{"QMAILHOME=" + home}}, theirs, func(message io.Reader, _ func() (qmail.Envelope, error)) string {
				data, _ := io.ReadAll(message)
				_, got, _ = strings.Cut(string(data), "SMTP; ")
				_, got, _ = strings.Cut(got, "\n")
				return ""
			})
			theirs.Close()
			done <- err
		}()
		c := client{ours, smtp.NewReader(ours)}
		for _, command := range []string{"", "MAIL FROM:<>", "RCPT TO:<x>", "DATA"} {
			if reply, err := c.ask(command); err != nil || reply.Code >= 400 {
				t.Fatalf("%q: %+v, %v", command, reply, err)
			}
		}
		if err := c.send(strings.NewReader(tt.sent)); err != nil {
			t.Fatal(err)
		}
		reply, err := c.ask()
		ours.Close()
		if ended := <-done; err != nil || ended != nil || reply.Code != 250 {
			t.Fatalf("%+v, %v, %v", reply, err, ended)
		}
		if got != tt.want {
			t.Errorf("sent %.20q of %d bytes: %.20q of %d bytes, want %d", tt.sent, len(tt.sent), got, len(got), len(tt.want))
		}
	}
}
