package main

import (
	"context"
	"io"
	"os/exec"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/smtpsink"
	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// output runs the demo with args.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	env := &prog.Env{Name: "demo", Argv0: "demo", Args: args, Stdout: &out, Stderr: &errs}
	code = prog.Report(env, run(context.Background(), env))
	return out.String(), errs.String(), code
}

// The transcript in README.md is what the demo prints, but for numbers, keys
// and signatures, and for lines that end in "..." where they were cut.
func TestReadmeTranscript(t *testing.T) {
	block := testprog.ReadPage(t, "README.md").Example(t, "demo")
	if strings.Count(block, "\n") < 20 {
		t.Fatal("README.md has no transcript")
	}
	got, stderr, code := output(t, "-b", testprog.Dir(t))
	if code != 0 || stderr != "" {
		t.Fatalf("demo: exit %d, %s\n%s", code, stderr, got)
	}
	lines := strings.Split(testprog.Steady(got), "\n")
	for want := range strings.Lines(block) {
		if want = strings.TrimSuffix(want, "\n"); want == "" {
			continue
		}
		prefix, cut := strings.CutSuffix(testprog.Steady(want), "...")
		for len(lines) > 0 && lines[0] != prefix && !(cut && strings.HasPrefix(lines[0], prefix)) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			t.Fatalf("README.md shows a line that the demo does not print there:\n%s\nit prints:\n%s", want, got)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"illegal option", []string{"-Z"}, 100, "illegal option -- Z"},
		{"sink without a server", []string{"-k", "maildir"}, 100, "-k goes with -s"},
		{"no such sink", []string{"-b", testprog.Dir(t), "-s", "127.0.0.1:0", "-k", "mbox"}, 111, `demo: fatal: site: no sink "mbox": there are queue, maildir and smarthost`},
		{"no smarthost", []string{"-b", testprog.Dir(t), "-s", "127.0.0.1:0", "-k", "smarthost"}, 111, "demo: fatal: site: sink smarthost: set SMARTHOST=host:port"},
		{"no programs", []string{"-b", t.TempDir()}, 111, "demo: fatal: "},
		{"address of another host", []string{"-b", testprog.Dir(t), "-s", "192.0.2.1:25"}, 111, "unable to bind: address not available"},
		{"way out", []string{"-b", testprog.Dir(t), "-s", "192.0.2.1:25"}, 111, "demo: hint: make run LISTEN=127.0.0.1:3025 takes another port\n"},
	} {
		_, stderr, code := output(t, tt.args...)
		if code != tt.code || !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: exit %d, %q; want %d, %q", tt.name, code, stderr, tt.code, tt.want)
		}
	}
}

// What make run prints about sending is what works, and the message is where
// it says.
func TestServeSaysHowToSend(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	for _, sink := range []string{"queue", "maildir"} {
		t.Run(sink, func(t *testing.T) {
			out := serveOnce(t, "-k", sink)
			if !strings.Contains(out.replies, "250 ok ") || !strings.Contains(out.replies, "221 ") {
				t.Errorf("the command that is printed got %q", out.replies)
			}
			if !strings.Contains(out.messages, "\nSubject: test\n\nHello.\n") || !strings.Contains(out.messages, "DKIM-Signature: ") {
				t.Errorf("where the messages are said to be: %q", out.messages)
			}
		})
	}
}

// With a smarthost the message goes there, and the client hears its answer.
func TestSmarthost(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	sink, err := smtpsink.Start("127.0.0.1:0", smtpsink.Script{})
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	out := serveOnce(t, "-k", "smarthost", "-r", sink.Addr.String())
	log, err := sink.Log(1)
	if err != nil || !strings.Contains(log, "| DKIM-Signature: ") || !strings.Contains(log, "\n| Subject: test\n| \n| Hello.\n.\n") {
		t.Errorf("the smarthost got %q, %v", log, err)
	}
	if !strings.Contains(out.replies, "250 ok ") {
		t.Errorf("the client got %q", out.replies)
	}
	if want := "The messages go to " + sink.Addr.String() + ", whose answer the client hears. "; !strings.Contains(out.last, want) {
		t.Errorf("the end is said to be %q, want %q", out.last, want)
	}
}

// serveOnce runs the demo as a server until it has been sent a message.
func serveOnce(t *testing.T, args ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out := &serving{told: cancel}
	env := &prog.Env{Name: "demo", Args: append([]string{"-b", testprog.Dir(t), "-s", "127.0.0.1:0"}, args...), Stdout: out, Stderr: io.Discard}
	if err := run(ctx, env); err != nil {
		t.Fatal(err)
	}
	return out
}

// serving runs the first command that is printed for sending, looks where the
// messages are said to be, then ends the server.
type serving struct {
	told                    func()
	replies, messages, last string // last is what was printed last
}

func (s *serving) Write(p []byte) (int, error) {
	text := string(p)
	s.last = text
	if command, ok := strings.CutPrefix(text, "  bash -c '"); ok {
		command, _, _ = strings.Cut(command, "'\n")
		out, err := exec.Command("bash", "-c", command).CombinedOutput()
		s.replies = string(out)
		if err != nil {
			s.replies += err.Error()
		}
	}
	if where, _, ok := strings.Cut(text, ". Interrupt to end"); ok {
		if where, ok := strings.CutPrefix(where, "The messages are in "); ok {
			out, err := exec.Command("sh", "-c", "find "+where+" -type f -exec cat {} +").CombinedOutput()
			if s.messages = string(out); err != nil {
				s.messages += err.Error()
			}
		}
		s.told()
	}
	return len(p), nil
}
