package outbound

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/qmail"
)

func TestReadControls(t *testing.T) {
	t.Parallel()
	type files = map[string]string
	for _, tt := range []struct {
		name  string
		files files
		want  Controls
	}{
		{"defaults", files{"me": "me.example\n"}, Controls{"me.example", false, time.Minute, 1200 * time.Second}},
		{"all", files{"me": "me.example", "helohost": "helo.example\r\nx", "smtpehlo": "1", "timeoutconnect": "7x", "timeoutremote": "8"},
			Controls{"helo.example", true, 7 * time.Second, 8 * time.Second}},
		{"helohost alone", files{"helohost": "helo.example"}, Controls{"helo.example", false, time.Minute, 1200 * time.Second}},
		{"smallest", files{"me": "m", "smtpehlo": "2", "timeoutconnect": "0", "timeoutremote": ""}, Controls{"m", false, time.Second, 1200 * time.Second}},
		{"largest", files{"me": "m", "timeoutconnect": "99999999999999999999"}, Controls{"m", false, time.Second * 2147483, 1200 * time.Second}},
	} {
		dir := t.TempDir()
		for name, text := range tt.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ReadControls(qmail.Control(dir))
		if got != tt.want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.want)
		}
	}
	dir := t.TempDir()
	if _, err := ReadControls(qmail.Control(dir)); err != ErrNoName {
		t.Errorf("without a name: %v", err)
	}
	os.WriteFile(filepath.Join(dir, "me"), []byte("a\rb\n"), 0o644)
	if _, err := ReadControls(qmail.Control(dir)); err != ErrNoName {
		t.Errorf("with a CR in the name: %v", err)
	}
	os.Mkdir(filepath.Join(dir, "timeoutremote"), 0o755)
	if _, err := ReadControls(qmail.Control(dir)); err == nil || err == ErrNoName {
		t.Errorf("unreadable file: %v", err)
	}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in       string
		size     int64
		eightBit bool
	}{
		{"", 0, false}, {"a\nb\n", 6, false}, {"\x7f", 1, false}, {"\xff", 1, true}, {"ü\n", 4, true},
		{strings.Repeat("x", 70_000) + "\x80\n", 70_003, true},
	} {
		if size, eightBit := Measure(strings.NewReader(tt.in)); size != tt.size || eightBit != tt.eightBit {
			t.Errorf("Measure(%.20q) = %d, %v; want %d, %v", tt.in, size, eightBit, tt.size, tt.eightBit)
		}
	}
}
