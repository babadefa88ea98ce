//go:build conformance

package site_test

import (
	"bytes"
	"errors"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/site"
	"ucspi-go/internal/testprog"
)

// A realClient is a mail program of others: how it sends a message, from an
// address of loopback, and how it ends when the server refuses.
type realClient struct {
	name      string
	command   func(t *testing.T, host, port, from string, rcpts ...string) *exec.Cmd
	recipient int // exit code when no recipient was accepted
	message   int // exit code when the message was refused
}

var realClients = []realClient{
	{"swaks", func(t *testing.T, host, port, from string, rcpts ...string) *exec.Cmd {
		return exec.Command(testprog.Peer(t, "swaks"), "--server", host, "--port", port, "--local-interface", from, "--helo", "client.example.com",
			"--from", "joe@example.com", "--to", strings.Join(rcpts, ","), "--data", "-")
	}, 24, 26},
	{"msmtp", func(t *testing.T, host, port, from string, rcpts ...string) *exec.Cmd {
		return exec.Command(testprog.Peer(t, "msmtp"), append([]string{"--host=" + host, "--port=" + port, "--source-ip=" + from, "--domain=client.example.com",
			"--tls=off", "--auth=off", "--from=joe@example.com", "--"}, rcpts...)...)
	}, 65, 69},
}

// run sends text and returns what the client printed and its exit code.
func (c realClient) run(t *testing.T, s *site.Site, from, text string, rcpts ...string) (output string, code int) {
	t.Helper()
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := c.command(t, host, port, from, rcpts...)
	if c.name == "swaks" {
		text = strings.TrimSuffix(text, "\n") // it adds one
	}
	cmd.Stdin = strings.NewReader(text)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Mail of real clients is signed and queued byte for byte below our fields,
// for all of its recipients; and they hear our refusals.
func TestConformanceRealClients(t *testing.T) {
	t.Parallel()
	for _, c := range realClients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, site.Config{})
			message := "From: Joe <joe@example.com>\nTo: ann@example.net, bob@example.net\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\n" +
				"Date: Tue, 24 Nov 2026 12:00:00 +0000\nMessage-ID: <1@client.example.com>\n\n" +
				".\n..\n.a line\n\nGr\xc3\xbc\xc3\x9fe \xe9\n" + strings.Repeat("long ", 190) + "\nlast\n"
			out, code := c.run(t, s, "127.0.0.1", message, "ann@example.net", "bob@example.net", "cy@example.com")
			if code != 0 {
				t.Fatalf("exit %d\n%s", code, out)
			}
			queued, err := s.Queued()
			if err != nil || len(queued) != 1 {
				t.Fatalf("%d messages queued, %v", len(queued), err)
			}
			m := queued[0]
			added, whole := bytes.CutSuffix(m.Text, []byte(message))
			if names := fieldNames(added); !whole || !slices.Equal(names, []string{"Received", "DKIM-Signature", "Received"}) {
				t.Errorf("queued with the new fields %q, whole %v:\n%s", names, whole, m.Text)
			}
			if want := []string{"ann@example.net", "bob@example.net", "cy@example.com"}; m.Sender != "joe@example.com" || !slices.Equal(m.Recipients, want) {
				t.Errorf("envelope %q %q", m.Sender, m.Recipients)
			}

			out, code = c.run(t, s, "127.0.0.2", message, "ann@example.net")
			if want := "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"; code != c.recipient || !strings.Contains(out, want) {
				t.Errorf("a stranger's relaying: exit %d, want %d\n%s", code, c.recipient, out)
			}
			out, code = c.run(t, s, "127.0.0.2", string(m.Text)+"More.\n", "ann@example.com")
			if want := "554 qmail-dkim: signature verify error: message body does not hash to bh value (#5.7.7)"; code != c.message || !strings.Contains(out, want) {
				t.Errorf("a tampered message: exit %d, want %d\n%s", code, c.message, out)
			}
			out, code = c.run(t, s, "127.0.0.2", string(m.Text), "ann@example.com")
			if queued, err = s.Queued(); code != 0 || err != nil || len(queued) != 2 {
				t.Errorf("the message come back: exit %d, %d messages queued, %v\n%s", code, len(queued), err, out)
			}
		})
	}
}
