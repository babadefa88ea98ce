package qmaildkim_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// A surrounding is a qmail-smtpd that runs qmail-dkim, as far as it reads a
// refusal: the descriptor with a pipe for the text, and the codes with which
// it looks there. What it says then is in the words of its own table.
type surrounding struct {
	name    string
	fd      int    // 0 for none
	errorFd string // ERROR_FD, empty for unset
	codes   []int
}

var surroundings = []surrounding{
	{"netqmail", 0, "", nil},
	{"notqmail", 6, "", []int{82}},
	{"sagredo", 4, "", []int{82, 88}},
	{"sagredo, ERROR_FD", 7, "7", []int{82, 88}},
	{"indimail", 2, "2", []int{82, 88}},
	{"indimail, ERROR_FD=4", 4, "4", []int{82, 88}},
}

// reply returns what the client is told.
func (s surrounding) reply(code int, text string) string {
	for _, custom := range s.codes {
		if code != custom || len(text) <= 2 {
			continue
		}
		if text[0] == 'D' {
			return "554 " + text[1:]
		}
		return "451 " + text[1:]
	}
	switch code {
	case 0:
		return "250 ok"
	case 31:
		return "554 mail server permanently rejected message (#5.3.0)"
	case 71:
		return "451 mail server temporarily rejected message (#4.3.0)"
	}
	return "451 qq temporary problem (#4.3.0)"
}

// run starts qmail-dkim as s does and returns the reply.
func (s surrounding) run(t *testing.T, home, message, letters string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(testprog.Dir(t), "qmail-dkim"))
	cmd.Env = []string{"QMAILHOME=" + home, "PATH=/usr/bin:/bin", "DKIMVERIFY=" + letters}
	if s.errorFd != "" {
		cmd.Env = append(cmd.Env, "ERROR_FD="+s.errorFd)
	}
	cmd.Stdin = strings.NewReader(message)
	envelope, err := os.Open(filepath.Join(home, "envelope"))
	if err != nil {
		t.Fatal(err)
	}
	defer envelope.Close()
	cmd.Stdout = envelope
	log, err := os.Create(filepath.Join(home, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stderr = log
	text, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	switch {
	case s.fd == 2:
		cmd.Stderr = w
	case s.fd > 2:
		cmd.ExtraFiles = make([]*os.File, s.fd-2)
		cmd.ExtraFiles[s.fd-3] = w
	}
	err = cmd.Run()
	w.Close()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	said, err := io.ReadAll(io.LimitReader(text, 255))
	if err != nil {
		t.Fatal(err)
	}
	return s.reply(cmd.ProcessState.ExitCode(), string(said))
}

// A refusal reaches the client in every surrounding, by text where it can and
// by the right class everywhere; what passes is queued in all of them.
func TestSurroundings(t *testing.T) {
	t.Parallel()
	const unsigned = "From: joe@example.com\n\nx\n"
	for _, s := range surroundings {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			// Another process writes the program: see testprog.Copy.
			setup := exec.Command("sh", "-c", `mkdir bin && printf '#!/bin/sh\nexec cat >queued\n' >bin/qmail-queue && chmod 755 bin/qmail-queue &&
				printf 'Fjoe@example.com\0Tann@example.net\0\0' >envelope`)
			setup.Dir = home
			if out, err := setup.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			reject, deferred := "554 qmail-dkim: no signatures (#5.7.5)", "451 qmail-dkim: no signatures (#4.7.5)"
			if s.fd == 0 {
				reject, deferred = surrounding{}.reply(31, ""), surrounding{}.reply(71, "")
			}
			queued := filepath.Join(home, "queued")
			for _, c := range []struct{ letters, want string }{{"S", reject}, {"s", deferred}} {
				if got := s.run(t, home, unsigned, c.letters); got != c.want {
					t.Errorf("DKIMVERIFY=%s: reply %q, want %q", c.letters, got, c.want)
				}
				if _, err := os.Stat(queued); err == nil {
					t.Errorf("DKIMVERIFY=%s: refused and queued", c.letters)
				}
			}
			if got := s.run(t, home, unsigned, ""); got != "250 ok" {
				t.Errorf("without letters: reply %q", got)
			}
			if text, err := os.ReadFile(queued); err != nil || !strings.HasSuffix(string(text), unsigned) {
				t.Errorf("queued %q, %v", text, err)
			}
		})
	}
}
