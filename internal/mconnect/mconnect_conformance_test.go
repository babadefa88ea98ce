//go:build conformance

package mconnect_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// The dialogue of TestDialogue goes the same way with the C programs.
func TestConformanceDialogue(t *testing.T) {
	t.Parallel()
	for program, connects := range map[string]bool{"/usr/bin/mconnect": true, "/usr/bin/mconnect-io": false} {
		if err := dialogue(t, testprog.Peer(t, program), connects); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}

// observe runs mconnect-io on a connection and returns what its user and the
// server see. The server reads all that is sent, then replies and ends.
func observe(t *testing.T, program, fds, input, reply string) string {
	cmd, server := onConnection(t, program, fds)
	var stdout bytes.Buffer
	var stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	io.WriteString(stdin, input)
	sent := make([]byte, len(input)+strings.Count(input, "\n"))
	if strings.Contains(fds, "7") {
		if _, err := io.ReadFull(server, sent); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
	io.WriteString(server, reply)
	server.CloseWrite()
	rest, _ := io.ReadAll(server)
	cmd.Wait()
	return fmt.Sprintf("%v %q %q, sent %q and %q", cmd.ProcessState, stdout.String(), stderr.String(), sent, rest)
}

func TestConformanceStreams(t *testing.T) {
	t.Parallel()
	c, ours := testprog.Peer(t, "/usr/bin/mconnect-io"), filepath.Join(testprog.Dir(t), "mconnect-io")
	compare := func(fds, input, reply string) {
		t.Helper()
		if c, ours := observe(t, c, fds, input, reply), observe(t, ours, fds, input, reply); c != ours {
			t.Errorf("descriptors %s, input %.100q, reply %.100q:\nC:    %.2000s\nours: %.2000s", fds, input, reply, c, ours)
		}
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		compare("67", stream(rng), stream(rng))
	}
	compare("67", strings.Repeat("line\n", 20000), strings.Repeat("\r\nline", 200000))
	compare("6", "", "reply\r\n")
}

func stream(rng *rand.Rand) string {
	alphabet := []string{"\r", "\n", "\r\n", "\x00", "\xff", "a", "word", "\r\r\n"}
	var b strings.Builder
	for range rng.IntN(rng.IntN(2000) + 1) {
		b.WriteString(alphabet[rng.IntN(len(alphabet))])
	}
	return b.String()
}

// Operands, and what a shell does around the programs.
func TestConformanceCommands(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	testprog.NameServer(t, "here.example A 127.0.0.1\ntext.example TXT text\n", testprog.OnPort53)
	testprog.Answer(t, "127.0.0.1:25", answerLine)
	const refusing = "127.0.0.21"
	for _, args := range [][]string{
		{"0"}, {}, {""}, {"here.example"}, {"here.example", "25", "more"}, {"0", "smtp"}, {"0", "025"}, {"0", "65561"}, {"0", ""}, {"0", "25x"}, {"0", "-25"},
		{refusing}, {"text.example"}, {"no.example"}, {"-h"}, {"--"}, {"1.2.3"}, {"0", "26"},
	} {
		for _, around := range []string{
			`echo command | "$@"`, `echo command | "$@" >/dev/full`, `echo command | "$@" >&-`, `echo command | "$@" 2>&-`, `echo command | "$@" 6<&0 7>&1`,
			// Whether echo is in time depends on who is first.
			`trap '' PIPE; echo command 2>/dev/null | "$@"`,
		} {
			var seen [2]string
			for i, program := range []string{testprog.Peer(t, "/usr/bin/mconnect"), filepath.Join(testprog.Dir(t), "mconnect")} {
				cmd := exec.Command("/bin/sh", append([]string{"-c", around, "sh", program}, args...)...)
				cmd.Env = []string{"PATH=/usr/bin:/bin", "DNSCACHEIP=127.0.0.1"}
				timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
				out, _ := cmd.CombinedOutput()
				timer.Stop()
				seen[i] = fmt.Sprintf("%v %q", cmd.ProcessState, out)
			}
			if seen[0] != seen[1] {
				t.Errorf("%s %q:\nC:    %s\nours: %s", around, args, seen[0], seen[1])
			}
			if os.Getenv("SHOW") != "" {
				t.Logf("%s %q: %s", around, args, seen[0])
			}
		}
	}
}

// answerLine answers the one line that it waits for.
func answerLine(c *net.TCPConn) {
	c.SetDeadline(time.Now().Add(patience))
	var line []byte
	for !bytes.HasSuffix(line, []byte("\n")) {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil {
			return
		}
		line = append(line, b...)
	}
	fmt.Fprintf(c, "you said %q\r\n", line)
}
