//go:build conformance

package qmailsmarthost

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// A real server behind the program: what it refuses is refused as a whole.
func TestConformanceExim(t *testing.T) {
	exim := testprog.StartExim(t)
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "control"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		name = filepath.Join(home, name)
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("control/me", "me.example\n")
	for _, ehlo := range []string{"0", "1"} {
		write("control/smtpehlo", ehlo)
		for _, tt := range []struct {
			envelope string
			code     int
			line     string // part of it
		}{
			{"Fa@example.org\x00Tb@example.com\x00Tc d@example.com\x00\x00", 0, "qmail-smarthost: sent "},
			{"Fa@example.org\x00Tb@example.com\x00Trefused@example.com\x00\x00", 31, "rcpts=2 reason=recipient code=31 reply=550-no-such-user\n"},
			{"Fa@example.org\x00Tlater@example.com\x00Tb@example.com\x00\x00", 71, "rcpts=2 reason=recipient code=71 reply=451-try-again\n"},
			{"Fa@example.org\x00Tb@example.com\x00", 54, "reason=bad-envelope"},
		} {
			stdin, err := os.Open(write("message", "Subject: x\n\na\r.\nDATA\n"))
			if err != nil {
				t.Fatal(err)
			}
			defer stdin.Close()
			envelope, err := os.Open(write("envelope", tt.envelope))
			if err != nil {
				t.Fatal(err)
			}
			defer envelope.Close()
			var log strings.Builder
			cmd := exec.Command(filepath.Join(testprog.Dir(t), "qmail-smarthost"))
			cmd.Env = append(os.Environ(), "QMAILHOME="+home, "SMARTHOST=127.0.0.1:"+exim.Port)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, envelope, &log
			err = cmd.Run()
			if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(log.String(), tt.line) {
				t.Errorf("%q: exit %d, %q; want %d, %q", tt.envelope, code, log.String(), tt.code, tt.line)
			}
		}
	}
	messages := exim.Queued(t)
	for _, m := range messages {
		if m.Body != "a\n.\nDATA\n" || !slices.Equal(m.Recipients, []string{"b@example.com", `"c d"@example.com`}) {
			t.Errorf("%q for %q", m.Body, m.Recipients)
		}
	}
	if len(messages) != 2 {
		t.Errorf("%d messages in the queue, want 2", len(messages))
	}
}
