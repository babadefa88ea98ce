package rulesdiff

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// FuzzDiff: texts and what they compile to give the same lines, each one
// printable line; a text does not differ from itself; and no client is done
// something else to without a line.
func FuzzDiff(f *testing.F) {
	for _, tt := range tellings {
		f.Add([]byte(tt.before), []byte(tt.after))
	}
	f.Add([]byte("a\x00b:allow,A=x\x00Dx\n"), []byte("joe@1.2.3.0-9:allow\n1-2.2.:deny\n"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		for _, text := range [][]byte{before, after} {
			set, err := rules.Parse(bytes.NewReader(text))
			if err != nil || len(text) > 1000 || len(set.Rules) > 30 {
				return
			}
		}
		old, now := string(before), string(after)
		lines := tellAll(t, old, now, false)
		if compiled := tellAll(t, old, now, true); compiled != lines {
			t.Fatalf("text\n%scompiled\n%s", lines, compiled)
		}
		if same := tellAll(t, now, now, false) + tellAll(t, old, old, true); same != "" {
			t.Fatalf("against itself: %s", same)
		}
		if strings.ContainsFunc(lines, func(c rune) bool { return (c < ' ' || c > '~') && c != '\n' }) {
			t.Fatalf("%q", lines)
		}
		if lines == "" {
			for _, who := range clients(t, old, now, nil) {
				if who.before != who.after {
					t.Fatalf("%s, name %s, info %s: %q to %q, and no line", who.ip, text(who.name), text(who.info), who.before, who.after)
				}
			}
		}
	})
}

// FuzzDatabase: no file makes reading it panic, last or fail otherwise than
// with ErrCorrupt. Each of the 256 entries of the index is the same.
func FuzzDatabase(f *testing.F) {
	for _, text := range []string{":deny\n", "1.:allow,A='b'\n", "=.b:deny\n", "joe@1.2.3.4:allow\n"} {
		data := compile(f, text)
		for entry := data[:2048]; len(entry) > 0; entry = entry[8:] {
			if length := binary.LittleEndian.Uint32(entry[4:]); length > 0 {
				f.Add(data[2048:], binary.LittleEndian.Uint32(entry), length)
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, start, length uint32) {
		entry := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, start), length)
		data := append(bytes.Repeat(entry, 256), body...)
		s, err := loadDatabase("fuzz", data, make(effects))
		if err != nil && !errors.Is(err, rules.ErrCorrupt) {
			t.Fatal(err)
		}
		if err == nil {
			if changes := compare(s, s); len(changes) > 0 {
				t.Fatalf("against itself: %s", changes[0].tell(false))
			}
		}
	})
}
