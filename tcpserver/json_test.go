package tcpserver

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// objects returns what the log says, which must be objects of which each has a
// line, is ASCII, and has each name once.
func objects(t *testing.T, text string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var o map[string]any
		if err := d.Decode(&o); err != nil || d.More() || strings.Count(line, `":`) < len(o) {
			t.Fatalf("%v: %q", err, line)
		}
		for i := range len(line) - 1 {
			if line[i] < ' ' || line[i] > '~' {
				t.Fatalf("byte %#x in %q", line[i], line)
			}
		}
		list = append(list, o)
	}
	return list
}

// What comes from the network comes back byte for byte, and the line is one
// that a pipe takes as a whole.
func FuzzJSON(f *testing.F) {
	f.Add("mail.example", "joe", "=.example", "3", 0)
	f.Add("\x00\x1f\"\\/\x7f\x80\xff\n", "\u2028é\xed\xa0\x80", "joe@=\"", "3/60", 9)
	f.Add(strings.Repeat("\xff", 300), strings.Repeat("\\", 100), strings.Repeat("x", 99), strings.Repeat("\n", 200), 0x7f00)
	f.Fuzz(func(t *testing.T, host, info, key, value string, status int) {
		var out bytes.Buffer
		l := &log{env: &prog.Env{Stderr: &out}, v: verbose, json: true}
		c := Conn{Local: netip.MustParseAddrPort("[::1]:25"), Remote: netip.MustParseAddrPort("192.0.2.1:65535")}
		a := Admission{LocalHost: &host, RemoteHost: &host, RemoteInfo: &info, Decision: rules.Decision{Found: true, Key: key}}
		l.decided("deny", 1, c, a, &rules.Var{Name: "MAXCONIP", Value: value})
		l.end(2, syscall.WaitStatus(uint16(status)))
		l.warn(host, syscall.EMFILE)
		const pipeBuf = 4096
		if out.Len() > 2*pipeBuf {
			t.Errorf("%d bytes", out.Len())
		}
		got := objects(t, out.String())
		if len(got) != 3 {
			t.Fatalf("%d lines: %s", len(got), out.String())
		}
		for name, want := range map[string]string{"local_host": host, "remote_host": host, "remote_info": info, "rule": key, "variable": "MAXCONIP", "value": value} {
			if len(want) >= maxName {
				want = want[:maxName] + "..."
			}
			if s := fromLatin1(got[0][name].(string)); s != want {
				t.Errorf("%s: %q, want %q", name, s, want)
			}
		}
	})
}

// fromLatin1 returns the bytes of which a string has the characters.
func fromLatin1(s string) string {
	b := make([]byte, 0, utf8.RuneCountInString(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

// The longest line of names is one write that a pipe does not divide.
func TestJSONLineIsWhole(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := &log{env: &prog.Env{Stderr: &out}, v: verbose, json: true}
	long := strings.Repeat("\xff", 1000)
	a := Admission{LocalHost: &long, RemoteHost: &long, RemoteInfo: &long, Decision: rules.Decision{Found: true, Key: long}}
	c := Conn{Local: netip.MustParseAddrPort("[1111:2222:3333:4444:5555:6666:7777:8888%verylongname]:65535")}
	c.Remote = c.Local
	l.decided("deny", 1<<30, c, a, &rules.Var{Name: "MAXCONNIP", Value: long})
	if n := out.Len(); n > 4096 || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%d bytes: %s", n, out.String())
	}
	objects(t, out.String())
}

func TestJSONEnd(t *testing.T) {
	t.Parallel()
	for status, want := range map[syscall.WaitStatus]string{
		0:        `"pid":7,"status":0,"exit":0}`,
		111 << 8: `"pid":7,"status":28416,"exit":111}`,
		9:        `"pid":7,"status":9,"signal":9}`,
		128 | 11: `"pid":7,"status":139,"signal":11}`,
	} {
		if got := string(end(7, status)) + "}"; !strings.HasSuffix(got, want) {
			t.Errorf("%d: %s, want %s", status, got, want)
		}
	}
}
