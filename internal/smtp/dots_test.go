package smtp

import (
	"bufio"
	"bytes"
	"errors"
	"strings"
	"testing"
)

// strict reads what DATA carries as RFC 5321 has it: lines end in CR LF, and
// the line "." ends the message. It returns the message with LF line ends, and
// what follows its end.
func strict(wire string) (message, rest string, err error) {
	var b strings.Builder
	for {
		line, after, found := strings.Cut(wire, "\r\n")
		switch {
		case !found:
			return "", "", errors.New("no end")
		case strings.ContainsAny(line, "\r\n"):
			return "", "", errors.New("a CR or LF alone")
		case line == ".":
			return b.String(), after, nil
		}
		b.WriteString(strings.TrimPrefix(line, ".") + "\n")
		wire = after
	}
}

// lines is what a message means: CR LF, LF and CR each end a line.
func lines(message string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(message)
}

// dotted sends a message in the pieces that the cuts make.
func dotted(message string, cuts ...int) (wire string, err error) {
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	d := &dotWriter{w: w}
	for _, cut := range cuts {
		cut = min(cut, len(message))
		d.Write([]byte(message[:cut]))
		message = message[cut:]
	}
	d.Write([]byte(message))
	err = d.Close()
	w.Flush()
	return out.String(), err
}

func TestDots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ".\r\n"},
		{"lines", "a\nb\n", "a\r\nb\r\n.\r\n"},
		{"dots", ".\n..\n.a\na.\n", "..\r\n...\r\n..a\r\na.\r\n.\r\n"},
		{"empty lines", "\n\n", "\r\n\r\n.\r\n"},
		{"8-bit and NUL", "\xff\x00\n", "\xff\x00\r\n.\r\n"},
		{"CR LF", "a\r\n.\r\n", "a\r\n..\r\n.\r\n"},
		{"CR . LF", "a\r.\nb\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"CR . CR LF", "a\r.\r\nb\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"CR . CR", "a\r.\rb\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"LF . CR", "a\n.\rb\n", "a\r\n..\r\nb\r\n.\r\n"},
		{"CR CR LF", "a\r\r\n.\n", "a\r\n\r\n..\r\n.\r\n"},
		{"CR CR . CR CR", "\r\r.\r\r", "\r\n\r\n..\r\n\r\n.\r\n"},
		{"CR as the first byte", "\r.\n", "\r\n..\r\n.\r\n"},
		{"CR as the last byte", "a\r", "a\r\n.\r\n"},
		{"LF CR", "a\n\rb\n", "a\r\n\r\nb\r\n.\r\n"},
		{"long line", strings.Repeat("x", 100_000) + "\n", strings.Repeat("x", 100_000) + "\r\n.\r\n"},
	} {
		for cut := 0; cut <= min(len(tt.in), 10); cut++ {
			if got, err := dotted(tt.in, cut); got != tt.want || err != nil {
				t.Errorf("%s, cut at %d: %.100q, %v; want %.100q", tt.name, cut, got, err, tt.want)
			}
		}
	}
	for _, in := range []string{"a", "a\nb", ".", "a\r.", "\rx"} {
		if got, err := dotted(in); err != ErrPartialLine || strings.HasSuffix(got, ".\r\n") && in != "." {
			t.Errorf("%q: %q, %v; want no end", in, got, err)
		}
	}
}

func TestDotsIsLinear(t *testing.T) {
	t.Parallel()
	for _, piece := range []string{"\r", "\n", ".", "\r.", "a\r"} {
		message := strings.Repeat(piece, 1<<17/len(piece)) + "\n"
		wire, err := dotted(message)
		if got, rest, e := strict(wire); got != lines(message) || rest != "" || err != nil || e != nil {
			t.Errorf("%q: %v, %v", piece, err, e)
		}
	}
}

// What a strict receiver decodes is the message with its line ends, whatever
// is in it and however it comes.
func FuzzDots(f *testing.F) {
	f.Add("Subject: x\n\n.\n..\n", 3, 5)
	f.Add("a\r.\nMAIL FROM:<evil>\r\n", 2, 1)
	f.Add("a\r.\r\nb\n\r.\r\rc\r", 1, 1)
	f.Fuzz(func(t *testing.T, message string, a, b int) {
		wire, err := dotted(message, max(a, 0), max(b, 0))
		partial := message != "" && !strings.HasSuffix(lines(message), "\n")
		if partial {
			if err != ErrPartialLine {
				t.Errorf("%q: %v, want a partial line", message, err)
			}
			// Nobody may take for the end what is none.
			if _, _, err := strict(wire); err == nil {
				t.Errorf("%q was sent as %q", message, wire)
			}
			return
		}
		got, rest, e := strict(wire)
		if got != lines(message) || rest != "" || err != nil || e != nil {
			t.Errorf("%q was sent as %q: %v, %v; decoded %q, then %q", message, wire, err, e, got, rest)
		}
	})
}

func BenchmarkDots(b *testing.B) {
	message := []byte(strings.Repeat(strings.Repeat("x", 75)+"\n", 1<<20/76))
	w := bufio.NewWriter(discard{})
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		(&dotWriter{w: w}).Write(message)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
