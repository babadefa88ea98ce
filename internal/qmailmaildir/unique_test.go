package qmailmaildir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestName(t *testing.T) {
	born := time.Unix(1795534940, 130805999)
	long := strings.Repeat("x", maxHost-1)
	tests := []struct{ host, want string }{
		{"mx.example.org", "mx.example.org"},
		{"a/b:c", `a\057b\072c`},
		{"../:2,S", `..\057\0722,S`},
		{"a b\n\t\x7f", `a\040b\012\011\177`},
		{"\xc3\xa9", "\xc3\xa9"},
		{"", ""},
		{long + "yz", long + "y"},
		{long + "/", long},
		{strings.Repeat("/", 64), strings.Repeat(`\057`, maxHost/4)},
	}
	for _, tt := range tests {
		u := unique{born: born, pid: 4911, seq: 3, host: tt.host}
		if got, want := u.name(), "1795534940.M130805P4911Q3."+tt.want; got != want {
			t.Errorf("host %q: name %q, want %q", tt.host, got, want)
		}
	}
	u := unique{born: born, pid: 4194304, seq: maxTries, host: strings.Repeat("x", 1000)}
	if got := u.name(); len(got) > 200 {
		t.Errorf("name of %d bytes leaves no room for a reader's flags", len(got))
	}
}

// The same host, time and process number as another delivery: the second one
// takes another name and leaves what is there alone.
func TestNeverOverwrites(t *testing.T) {
	dir := newMaildir(t)
	t.Chdir(dir)
	twin := unique{born: time.Now(), pid: 7, seq: 1, host: "h"}
	deliver := func(message string) error {
		d := &delivery{unique: twin}
		return d.deliver(strings.NewReader(message), strings.NewReader("F\x00\x00"))
	}
	messages := []string{"first", "second", numbered(2 * memory)}
	for _, message := range messages {
		if err := deliver(message); err != nil {
			t.Fatal(err)
		}
	}
	// In tmp the name is another's as well, who may still write to it.
	twin.seq = len(messages) + 1
	other := filepath.Join("tmp", twin.name())
	if err := os.WriteFile(other, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := deliver("last"); err != nil {
		t.Fatal(err)
	}
	for i, want := range append(messages, "", "last") {
		twin.seq = i + 1
		text, err := os.ReadFile(filepath.Join("new", twin.name()))
		if i == len(messages) && !os.IsNotExist(err) || i != len(messages) && string(text) != "Return-Path: <>\n"+want {
			t.Errorf("%s: %.100q, %v; want %.100q", twin.name(), text, err, want)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "not ours" || len(files(t, dir, "tmp")) != 1 {
		t.Errorf("in tmp: %q", files(t, dir, "tmp"))
	}
	// There is an end to trying.
	tries := 0
	u := unique{seq: 1}
	err := u.try(func(string) error { tries++; return fs.ErrExist })
	if err != fs.ErrExist || tries != maxTries {
		t.Errorf("%v after %d tries, want %d", err, tries, maxTries)
	}
}

func TestNodeName(t *testing.T) {
	want, err := os.Hostname()
	if got := nodeName(); err != nil || got != want {
		t.Errorf("nodeName() = %q, want %q, %v", got, want, err)
	}
}
