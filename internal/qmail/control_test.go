package qmail

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestControl(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"empty":   "",
		"plain":   "one\ntwo\n",
		"unended": "one\ntwo",
		"blanks":  "one \t \n\n# no\n#no\n \t\n two\t\n x # y\n",
		"crlf":    "one\r\ntwo\r\n",
		"comment": "# one\ntwo\n",
		"nothing": "\ntwo\n",
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name  string
		found bool
		line  string
		lines []string
	}{
		{"empty", true, "", nil},
		{"plain", true, "one", []string{"one", "two"}},
		{"unended", true, "one", []string{"one", "two"}},
		{"blanks", true, "one", []string{"one", " two", " x # y"}},
		{"crlf", true, "one\r", []string{"one\r", "two\r"}},
		{"comment", true, "# one", []string{"two"}},
		{"nothing", true, "", []string{"two"}},
		{"absent", false, "", nil},
	}
	for _, tt := range tests {
		line, found, err := Control(dir).Line(tt.name)
		if line != tt.line || found != tt.found || err != nil {
			t.Errorf("Line(%q) = %q, %v, %v; want %q, %v", tt.name, line, found, err, tt.line, tt.found)
		}
		lines, found, err := Control(dir).Lines(tt.name)
		if !slices.Equal(lines, tt.lines) || found != tt.found || err != nil {
			t.Errorf("Lines(%q) = %q, %v, %v; want %q, %v", tt.name, lines, found, err, tt.lines, tt.found)
		}
	}
}

// A control file that is there but cannot be read must not count as absent:
// an unreadable rcpthosts would make an open relay.
func TestControlUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rcpthosts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, found, err := Control(dir).Lines("rcpthosts"); err == nil {
		t.Errorf("Lines of a directory: found %v and no error", found)
	}
	if _, found, err := Control(dir).Line("rcpthosts"); err == nil {
		t.Errorf("Line of a directory: found %v and no error", found)
	}
}

func TestHome(t *testing.T) {
	for _, tt := range []struct {
		value string
		set   bool
		want  string
	}{{"", false, DefaultHome}, {"", true, DefaultHome}, {"/srv/qmail", true, "/srv/qmail"}} {
		lookup := func(name string) (string, bool) { return tt.value, tt.set && name == "QMAILHOME" }
		if got := Home(lookup); got != tt.want {
			t.Errorf("Home with QMAILHOME=%q, %v = %q, want %q", tt.value, tt.set, got, tt.want)
		}
	}
}

func TestControlDir(t *testing.T) {
	for value, want := range map[string]Control{
		"":           "/var/qmail/control",
		"ctl":        "/var/qmail/ctl",
		"/etc/qmail": "/etc/qmail",
	} {
		lookup := func(name string) (string, bool) { return value, name == "CONTROLDIR" }
		if got := ControlDir(DefaultHome, lookup); got != want {
			t.Errorf("ControlDir with CONTROLDIR=%q = %q, want %q", value, got, want)
		}
	}
}

func TestDate(t *testing.T) {
	at := time.Date(1995, 9, 6, 6, 4, 5, 0, time.FixedZone("", 2*3600))
	if got, want := Date(at), "6 Sep 1995 04:04:05 -0000"; got != want {
		t.Errorf("Date = %q, want %q", got, want)
	}
}
