package qmailmaildir

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// newMaildir returns an empty Maildir.
func newMaildir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "Maildir")
	for _, name := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// start starts qmail-maildir through the words of wrap, which may be none.
func start(t *testing.T, dir string, wrap ...string) *testprog.QueueProgram {
	t.Helper()
	return testprog.StartQueueProgram(t, "qmail-maildir", []string{"MAILDIR=" + dir}, wrap...)
}

// files returns the files in a folder of the Maildir with their contents.
func files(t *testing.T, dir, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, folder))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		found[e.Name()] = string(data)
	}
	return found
}

const (
	message  = "Subject: test\n\nbody\n"
	envelope = "Fa@b\x00Tc@d\x00Te\x00\x00"
	head     = "Return-Path: <a@b>\nDelivered-To: c@d\nDelivered-To: e\n"
)

// numbered returns n bytes in which every place looks different.
func numbered(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()[:n]
}

// What is delivered is the message under the fields of its envelope, in one
// file in new, whether it fits into memory or not.
func TestDelivered(t *testing.T) {
	t.Parallel()
	messages := map[string]string{"usual": message, "empty": "", "no end": "no end", "NUL, CR, 8 bit": "\x00\xff\r\n\r"}
	for _, n := range []int{memory - 1, memory, memory + 1, 2 * memory, 3*memory + 5, 10 * memory} {
		messages[fmt.Sprint(n)] = numbered(n)
	}
	for name, message := range messages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := newMaildir(t)
			d := start(t, dir)
			if code := d.Feed(message, envelope); code != 0 {
				t.Fatalf("exit %d", code)
			}
			form := regexp.MustCompile(fmt.Sprintf(`^[0-9]{10,}\.M[0-9]{1,6}P%dQ1\..`, d.Process.Pid))
			delivered := files(t, dir, "new")
			for name, text := range delivered {
				if !form.MatchString(name) {
					t.Errorf("name %q", name)
				}
				if text != head+message {
					t.Errorf("%d bytes, want %d: %.100q", len(text), len(head+message), text)
				}
				if st, err := os.Stat(filepath.Join(dir, "new", name)); err != nil || st.Mode() != 0o600 {
					t.Errorf("mode %v, %v; want 0600", st.Mode(), err)
				}
			}
			if n := len(delivered); n != 1 || len(files(t, dir, "tmp"))+len(files(t, dir, "cur")) > 0 {
				t.Errorf("%d files in new, tmp %q", n, files(t, dir, "tmp"))
			}
		})
	}
}

// Fields larger than the message, and larger than the memory for it, are put
// before it.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	var envelope, head strings.Builder
	envelope.WriteString("F\x00")
	head.WriteString("Return-Path: <>\n")
	for i := range 10000 {
		fmt.Fprintf(&envelope, "Tuser%d@example.com\x00", i)
		fmt.Fprintf(&head, "Delivered-To: user%d@example.com\n", i)
	}
	envelope.WriteString("\x00")
	for _, n := range []int{0, 100, memory + 1, 5 * memory} {
		dir := newMaildir(t)
		if code := start(t, dir).Feed(numbered(n), envelope.String()); code != 0 {
			t.Fatalf("exit %d", code)
		}
		for _, text := range files(t, dir, "new") {
			if text != head.String()+numbered(n) {
				t.Errorf("message of %d bytes: %d bytes, want %d", n, len(text), head.Len()+n)
			}
		}
	}
}

// A wrong envelope has its code, and nothing of the message stays.
func TestBadEnvelopes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, envelope string
		code           int
	}{
		{"ends in the sender", "Fa", 54},
		{"empty", "", 54},
		{"no final NUL", "Fa\x00Tb\x00", 54},
		{"ends in a recipient", "Fa\x00Tb", 54},
		{"wrong letter", "Xa\x00\x00", 91},
		{"wrong recipient letter", "Fa\x00Fb\x00\x00", 91},
		{"long sender", "F" + strings.Repeat("x", 1003) + "\x00\x00", 11},
		{"long recipient", "F\x00T" + strings.Repeat("x", 1003) + "\x00\x00", 11},
		{"longest recipient", "F\x00T" + strings.Repeat("x", 1002) + "\x00\x00", 0},
		{"no recipients", "Fa\x00\x00", 0},
		{"bytes after the end", "Fa\x00Tb\x00\x00more", 0},
	}
	for _, tt := range tests {
		for _, message := range []string{message, numbered(2 * memory)} {
			dir := newMaildir(t)
			d := start(t, dir)
			code := d.Feed(message, tt.envelope)
			delivered := len(files(t, dir, "new"))
			if code != tt.code || (delivered == 1) != (code == 0) || len(files(t, dir, "tmp")) > 0 || d.Said.Len() > 0 {
				t.Errorf("%s: exit %d, %q, %d files in new, %d in tmp; want exit %d", tt.name, code, d.Said.String(), delivered, len(files(t, dir, "tmp")), tt.code)
			}
		}
	}
}

// A Maildir that is not as it should be has a code and a line, and nothing of
// the message stays.
func TestBrokenMaildirs(t *testing.T) {
	t.Parallel()
	const fatal = "qmail-maildir: fatal: "
	tests := []struct {
		name string
		harm string // shell command in the Maildir
		wrap string // shell command that runs the program
		code int
		line string
	}{
		{name: "none", harm: `rm -r "$PWD"`, code: 62, line: fatal + "unable to change directory to DIR: file does not exist\n"},
		{name: "a file", harm: `rm -r "$PWD"; : >"$PWD"`, code: 62, line: fatal + "unable to change directory to DIR: not a directory\n"},
		{name: "no tmp", harm: "rmdir tmp", code: 64, line: fatal + "unable to create a file in tmp: file does not exist\n"},
		{name: "no new", harm: "rmdir new", code: 66, line: fatal + "unable to create a name in new: file does not exist\n"},
		{name: "new is a file", harm: "rmdir new; : >new", code: 66, line: fatal + "unable to create a name in new: not a directory\n"},
		{name: "no cur", harm: "rmdir cur", code: 0},
		{name: "MAILDIR not set", wrap: `unset MAILDIR; exec "$0"`, code: 55, line: fatal + "MAILDIR is not set\n"},
		{name: "MAILDIR empty", wrap: `MAILDIR= exec "$0"`, code: 55, line: fatal + "MAILDIR is not set\n"},
		{name: "message closed", wrap: `exec "$0" <&-`, code: 54},
		{name: "envelope closed", wrap: `exec "$0" >&-`, code: 54},
		{name: "message is a directory", wrap: `exec "$0" </`, code: 54},
		{name: "disk full", wrap: `ulimit -f 1; exec "$0"`, code: 53, line: fatal + "unable to write to tmp: file too big\n"},
		{name: "disk full at once", wrap: `ulimit -f 0; exec "$0"`, code: 53, line: fatal + "unable to write to tmp: file too big\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, message := range []string{numbered(2000), numbered(5 * memory)} {
				dir := newMaildir(t)
				if tt.harm != "" {
					harm := exec.Command("sh", "-c", tt.harm)
					harm.Dir = dir
					if out, err := harm.CombinedOutput(); err != nil {
						t.Fatalf("%v: %s", err, out)
					}
				}
				var wrap []string
				if tt.wrap != "" {
					wrap = []string{"sh", "-c", tt.wrap}
				}
				d := start(t, dir, wrap...)
				code := d.Feed(message, envelope)
				if line := strings.ReplaceAll(d.Said.String(), dir, "DIR"); code != tt.code || line != tt.line {
					t.Errorf("exit %d, %q; want %d, %q", code, line, tt.code, tt.line)
				}
				if left, _ := filepath.Glob(dir + "/*/*"); len(left) > 0 && code != 0 {
					t.Errorf("exit %d, and %q are left", code, left)
				}
			}
		})
	}
}

// Deliveries at the same time do not meet.
func TestAtTheSameTime(t *testing.T) {
	t.Parallel()
	dir := newMaildir(t)
	const n = 40
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if code := start(t, dir).Feed(fmt.Sprint(i), "F\x00\x00"); code != 0 {
				t.Errorf("exit %d", code)
			}
		})
	}
	wg.Wait()
	seen := make(map[string]bool)
	for _, text := range files(t, dir, "new") {
		seen[text] = true
	}
	if len(seen) != n || len(files(t, dir, "tmp")) > 0 {
		t.Errorf("%d different messages, want %d", len(seen), n)
	}
}

// Without descriptors there is an exit code like any other, not the 2 of a
// crash of the Go runtime.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	dir := newMaildir(t)
	want := 0
	for limit := 3; limit < 12; limit++ {
		d := start(t, dir, "sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$0"`, limit))
		code := d.Feed(message, envelope)
		switch code {
		case 0:
			want++
		case 62, 64, 66:
		default:
			t.Errorf("%d descriptors: exit %d", limit, code)
		}
		if n := len(files(t, dir, "new")); n != want {
			t.Errorf("%d descriptors: exit %d, %d messages; want %d", limit, code, n, want)
		}
	}
	if want == 0 {
		t.Error("nothing was delivered")
	}
}
