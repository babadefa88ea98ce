package qmailqueue

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// whole fails the test unless everything in todo is a whole message: its text
// and its envelope complete, and its number that of its file. It returns how
// many there are.
func whole(t *testing.T, home, message string) (queued int) {
	t.Helper()
	all := files(t, home)
	for name, todo := range all {
		number := filepath.Base(name)
		switch {
		case strings.HasPrefix(name, "todo/"):
			queued++
			matches, _ := filepath.Glob(home + "/queue/mess/*/" + number)
			if len(matches) != 1 {
				t.Fatalf("%s has the messages %q", name, matches)
			}
			mess := strings.TrimPrefix(matches[0], home+"/queue/")
			if head := received.FindString(all[mess]); head == "" || all[mess] != head+message {
				t.Fatalf("%s: message of %d bytes: %.100q", name, len(all[mess]), all[mess])
			}
			if !strings.HasSuffix(todo, "\x00Fa@b\x00Tc@d\x00Te\x00") {
				t.Fatalf("%s: envelope %q", name, todo)
			}
		case strings.HasPrefix(name, "intd/"):
			if matches, _ := filepath.Glob(home + "/queue/mess/*/" + number); len(matches) != 1 {
				t.Fatalf("%s without a message", name)
			}
		case strings.HasPrefix(name, "mess/"):
			var st syscall.Stat_t
			if err := syscall.Stat(home+"/queue/"+name, &st); err != nil || fmt.Sprint(st.Ino) != number {
				t.Fatalf("%s has inode %d", name, st.Ino)
			}
		}
	}
	return queued
}

// A kill while input is awaited leaves nothing in todo, whatever was given.
func TestKilledWhileReading(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a line of the message\n", 20000) // more than the pipe and the buffer hold
	for _, message := range []string{"", "half", long} {
		for _, envelope := range []string{"none", "", "F", "Fa@b\x00", "Fa@b\x00Tc@d\x00Te\x00"} {
			home := newHome(t, false)
			r := start(t, home)
			r.Message.WriteString(message)
			if envelope != "none" {
				r.Message.Close()
				r.Envelope.WriteString(envelope)
			}
			r.Process.Kill()
			r.Wait()
			if n := whole(t, home, message); n != 0 {
				t.Errorf("message of %d bytes, envelope %q: %d messages in todo", len(message), envelope, n)
			}
		}
	}
}

// A kill at any system call that touches the queue leaves a whole message in
// todo or none, and success is only told when there is one.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	calls := []string{"openat", "linkat", "unlinkat", "write", "fsync", "fstat", "close"}
	message := strings.Repeat("a line of the message\n", 4000) // more than one write
	for _, call := range calls {
		split := false
		kills := testprog.KillAtEach(t, call, func(wrap ...string) int {
			home := newHome(t, split)
			split = !split
			code := start(t, home, wrap...).Feed(message, envelope)
			if queued := whole(t, home, message); code == 0 && queued != 1 {
				t.Fatalf("%s: exit 0 and %d messages in todo", call, queued)
			}
			return code
		})
		t.Logf("%s: killed at %d calls", call, kills)
		if kills == 0 && call != "fstat" {
			t.Errorf("%s was never reached", call)
		}
	}
}

// The names of a message are durable before success is told, the folder of
// its file among them.
func TestSyncs(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace to watch the calls")
	}
	trace := filepath.Join(t.TempDir(), "trace")
	if code := start(t, newHome(t, false), strace, "-f", "-y", "-qqq", "-o", trace, "-e", "trace=fsync,exit_group").Feed("text\n", envelope); code != 0 {
		t.Skipf("strace: exit %d; it may not trace here", code)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	digits := regexp.MustCompile(`[0-9]+`)
	var calls []string
	for _, m := range regexp.MustCompile(`(?m)^[0-9]+ +(\w+)\((?:[0-9]+<[^>]*/queue/([^>]*)>)?`).FindAllStringSubmatch(string(text), -1) {
		calls = append(calls, strings.TrimSpace(m[1]+" "+digits.ReplaceAllString(m[2], "N")))
	}
	for _, folder := range []string{"mess/N", "intd", "todo"} {
		if !slices.Contains(calls, "fsync "+folder) {
			t.Errorf("%s is not synced: %q", folder, calls)
		}
	}
	if len(calls) == 0 || calls[len(calls)-1] != "exit_group" {
		t.Errorf("calls %q", calls)
	}
}

// Hangups and interrupts do not stop mail; an alarm does, and leaves the
// files to qmail-send; a sign of a fault is told as one.
func TestSignals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		signal syscall.Signal
		code   int
	}{
		{syscall.SIGHUP, 0}, {syscall.SIGINT, 0}, {syscall.SIGQUIT, 0}, {syscall.SIGPIPE, 0}, {syscall.SIGXFSZ, 0},
		{syscall.SIGXCPU, 0}, {syscall.SIGVTALRM, 0}, {syscall.SIGPROF, 0},
		{syscall.SIGALRM, 52}, {syscall.SIGABRT, 81}, {syscall.SIGILL, 81}, {syscall.SIGBUS, 81},
		{syscall.SIGFPE, 81}, {syscall.SIGSEGV, 81}, {syscall.SIGSYS, 81}, {syscall.SIGTERM, -1},
	}
	long := strings.Repeat("a line of the message\n", 20000)
	for _, tt := range tests {
		home := newHome(t, false)
		r := start(t, home)
		r.Message.WriteString(long) // it is ready once this much is taken
		r.Process.Signal(tt.signal)
		code := 0
		if tt.code == 0 {
			code = r.Feed("", envelope)
		} else {
			r.Wait()
			code = r.ProcessState.ExitCode()
		}
		if queued := whole(t, home, long); code != tt.code || (queued == 1) != (code == 0) {
			t.Errorf("%v: exit %d, %d messages in todo; want exit %d", tt.signal, code, queued, tt.code)
		}
		if tt.code == 52 && len(files(t, home)) != 1 {
			t.Errorf("%v: files %q, want the message to stay", tt.signal, sortedNames(files(t, home)))
		}
	}
}
