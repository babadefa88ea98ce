package qmailmaildir

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/testprog"
)

// whole fails the test unless all that a reader finds is the whole message. It
// returns how often it is there.
func whole(t *testing.T, dir, message string) (delivered int) {
	t.Helper()
	for name, text := range files(t, dir, "new") {
		delivered++
		if text != head+message {
			t.Fatalf("%s: %d bytes, want %d", name, len(text), len(head+message))
		}
	}
	if n := len(files(t, dir, "cur")); n > 0 {
		t.Fatalf("%d files in cur", n)
	}
	return delivered
}

// A kill while input is awaited leaves nothing in new, whatever was given.
func TestKilledWhileReading(t *testing.T) {
	t.Parallel()
	long := numbered(6 * memory) // more than the pipe and the memory hold
	for _, message := range []string{"", "half", long} {
		for _, envelope := range []string{"none", "", "F", "Fa@b\x00", "Fa@b\x00Tc@d\x00Te\x00"} {
			dir := newMaildir(t)
			d := start(t, dir)
			d.Message.WriteString(message)
			if envelope != "none" {
				d.Message.Close()
				d.Envelope.WriteString(envelope)
			}
			d.Process.Kill()
			d.Wait()
			if n := whole(t, dir, message); n != 0 {
				t.Errorf("message of %d bytes, envelope %q: %d messages in new", len(message), envelope, n)
			}
		}
	}
}

// A kill at any system call that touches the Maildir leaves the whole message
// in new or none, and success is only told when it is there.
func TestKilledAtEachStep(t *testing.T) {
	t.Parallel()
	for _, message := range []string{message, numbered(3*memory + 5)} {
		for _, call := range []string{"openat", "linkat", "unlinkat", "write", "pwrite64", "pread64", "fsync", "close", "read", "chdir"} {
			t.Run(fmt.Sprintf("%s %d", call, len(message)), func(t *testing.T) {
				t.Parallel()
				kills := testprog.KillAtEach(t, call, func(wrap ...string) int {
					dir := newMaildir(t)
					code := start(t, dir, wrap...).Feed(message, envelope)
					if n := whole(t, dir, message); code == 0 && n != 1 {
						t.Fatalf("%s: exit 0 and %d messages in new", call, n)
					}
					return code
				})
				t.Logf("killed at %d calls", kills)
				// A message that fits into memory is not moved.
				if kills == 0 && !(len(message) <= memory && (call == "write" || call == "pread64")) {
					t.Error("never reached")
				}
			})
		}
	}
}

// A system call that fails has its code, and leaves nothing.
func TestFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		call      string
		when      string
		errno     string
		size      int
		code      int
		line      string
		delivered int
	}{
		{"pwrite64", "1+", "ENOSPC", 100, 53, "unable to write to tmp: out of disk space", 0},
		{"pwrite64", "1+", "ENOSPC", 3 * memory, 53, "unable to move a message within its file: out of disk space", 0},
		{"pread64", "1+", "EIO", 3 * memory, 53, "unable to move a message within its file: input/output error", 0},
		{"fsync", "1+", "EIO", 100, 53, "unable to write to tmp: input/output error", 0},
		{"linkat", "1+", "EIO", 100, 66, "unable to create a name in new: input/output error", 0},
		{"linkat", "1+", "EEXIST", 100, 66, "unable to create a name in new: file already exists", 0},
		{"linkat", "1", "EEXIST", 100, 0, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.call+tt.when+tt.errno, func(t *testing.T) {
			t.Parallel()
			dir := newMaildir(t)
			message := numbered(tt.size)
			d := start(t, dir, testprog.FailAt(t, tt.call, tt.when, tt.errno)...)
			code := d.Feed(message, envelope)
			line := ""
			if tt.line != "" {
				line = "qmail-maildir: fatal: " + tt.line + "\n"
			}
			if n := whole(t, dir, message); code != tt.code || d.Said.String() != line || n != tt.delivered || len(files(t, dir, "tmp")) > 0 {
				t.Errorf("exit %d, %q, %d messages in new; want %d, %q, %d", code, d.Said.String(), n, tt.code, line, tt.delivered)
			}
		})
	}
}

// A name that is in new but may not be durable is no success: the client will
// send the message again, which is better than to lose it.
func TestNewNotDurable(t *testing.T) {
	t.Parallel()
	dir := newMaildir(t)
	d := start(t, dir, testprog.FailAt(t, "fsync", "1+", "EIO", dir+"/new")...)
	code := d.Feed(message, envelope)
	const line = "qmail-maildir: fatal: unable to sync new: input/output error\n"
	if n := whole(t, dir, message); code != 66 || d.Said.String() != line || n != 1 {
		t.Errorf("exit %d, %q, %d messages in new", code, d.Said.String(), n)
	}
}

// The message is durable before it has its name, and its name before success
// is told.
func TestSyncs(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("no strace to watch the calls")
	}
	dir := newMaildir(t)
	trace := filepath.Join(t.TempDir(), "trace")
	d := start(t, dir, strace, "-f", "-y", "-qqq", "-o", trace, "-e", "trace=pwrite64,fsync,linkat,exit_group")
	if code := d.Feed(message, envelope); code != 0 {
		t.Skipf("strace: exit %d; it may not trace here", code)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, m := range regexp.MustCompile(`(?m)^[0-9]+ +(\w+)\((?:[0-9]+<([^>]*)>)?`).FindAllStringSubmatch(string(text), -1) {
		folder := filepath.Base(filepath.Dir(m[2]))
		if filepath.Base(m[2]) == "new" {
			folder = "new"
		}
		if call := strings.TrimSuffix(m[1]+" "+folder, " ."); len(calls) == 0 || calls[len(calls)-1] != call {
			calls = append(calls, call)
		}
	}
	if got, want := strings.Join(calls, ", "), "pwrite64 tmp, fsync tmp, linkat, fsync new, exit_group"; got != want {
		t.Errorf("calls: %s\nwant: %s\n%s", got, want, text)
	}
}

// Hangups and interrupts do not stop mail; an alarm does, and leaves the file
// to readers; a sign of a fault is told as one.
func TestSignals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		signal syscall.Signal
		code   int
	}{
		{syscall.SIGHUP, 0}, {syscall.SIGINT, 0}, {syscall.SIGQUIT, 0}, {syscall.SIGXFSZ, 0},
		{syscall.SIGALRM, 52}, {syscall.SIGABRT, 81}, {syscall.SIGSEGV, 81}, {syscall.SIGTERM, -1},
	}
	long := numbered(6 * memory)
	for _, tt := range tests {
		dir := newMaildir(t)
		d := start(t, dir)
		d.Message.WriteString(long) // it is ready once this much is taken
		d.Process.Signal(tt.signal)
		code := 0
		if tt.code == 0 {
			code = d.Feed("", envelope)
		} else {
			d.Wait()
			code = d.ProcessState.ExitCode()
		}
		if n := whole(t, dir, long); code != tt.code || (n == 1) != (code == 0) {
			t.Errorf("%v: exit %d, %d messages in new; want exit %d", tt.signal, code, n, tt.code)
		}
	}
}
