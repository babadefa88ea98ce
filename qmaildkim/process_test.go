package qmaildkim

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// A run is what a qmail-dkim process did with one message.
type run struct {
	log      string        // its line
	fields   string        // new fields, above the message
	below    string        // what was queued under them
	envelope string        // that was queued
	peak     int           // memory at most, in KiB
	cpu      time.Duration // in steps of 10 ms
}

// result returns the letter of the verdict, "" when there is none.
func (r run) result() string { return r.word("result") }

// word returns the value of a word of the log line.
func (r run) word(key string) string {
	for _, w := range strings.Fields(r.log) {
		if value, ok := strings.CutPrefix(w, key+"="); ok {
			return value
		}
	}
	return ""
}

const testEnvelope = "Fjoe@example.com\x00Tsue@example.org\x00\x00"

// hangs bounds a process that should need a second or two: it ends a test
// that would not end, on whatever machine.
const hangs = 5 * time.Minute

// runDKIM has the real qmail-dkim handle a message, in an environment of
// nothing but environ. It fails the test unless the message was queued with its
// envelope. Limits are ulimit options of sh, "" for none.
func runDKIM(t *testing.T, msg string, limits string, environ ...string) run {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	queue, err := filepath.Abs("testdata/queue")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	script := `exec "$0" <"$1" 1<"$2"`
	if limits != "" {
		script = "ulimit " + limits + " && " + script
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", script,
		filepath.Join(testprog.Dir(t), "qmail-dkim"), write("in", msg), write("env", testEnvelope))
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "KEEP=" + dir, "TMPDIR=" + dir, "DKIMQUEUE=" + queue}, environ...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("qmail-dkim: %v, says %s", err, stderr.String())
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	r := run{log: stderr.String(), envelope: read("envelope")}
	queued := read("message")
	n := len(queued) - len(msg)
	if n < 0 {
		n = 0
	}
	r.fields, r.below = queued[:n], queued[n:]
	if r.envelope != testEnvelope {
		t.Errorf("envelope %q", r.envelope)
	}
	for line := range strings.Lines(read("status")) {
		if f := strings.Fields(line); f[0] == "VmHWM:" {
			r.peak, _ = strconv.Atoi(f[1])
		}
	}
	_, stat, _ := strings.Cut(read("stat"), ") ")
	f := strings.Fields(stat)
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	r.cpu = time.Duration(user+system) * 10 * time.Millisecond
	return r
}
