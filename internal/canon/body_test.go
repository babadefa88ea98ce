package canon

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func bodyOf(t testing.TB, form Form, r io.Reader) string {
	t.Helper()
	var got bytes.Buffer
	b := NewBody(&got, form)
	if _, err := io.Copy(struct{ io.Writer }{b}, struct{ io.Reader }{r}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	return got.String()
}

func TestBody(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, simple, relaxed string }{
		{" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"}, // RFC 6376 sections 3.4.5 and 3.4.6
		{"", "\r\n", ""},
		{"\n\r\n", "\r\n", ""},
		{" \n\t", " \r\n\t\r\n", ""},
		{"a", "a\r\n", "a\r\n"},
		{"a\n\n\nb\n\n", "a\r\n\r\n\r\nb\r\n", "a\r\n\r\n\r\nb\r\n"},
		{"\n \n a\t \n", "\r\n \r\n a\t \r\n", "\r\n\r\n a\r\n"},
		{"a\rb\r\r\nc\r", "a\rb\r\r\nc\r\r\n", "a\rb\r\r\nc\r\r\n"},
		{"a \rb \r", "a \rb \r\r\n", "a \rb \r\r\n"},
		{"\r", "\r\r\n", "\r\r\n"},
		{"a\x00b\n", "a\x00b\r\n", "a\x00b\r\n"},
		{"a  b\n", "a  b\r\n", "a b\r\n"},
	} {
		for name, wrap := range pieces {
			for a, want := range map[Algorithm]string{Simple: test.simple, Relaxed: test.relaxed} {
				if got := bodyOf(t, Form{Algorithm: a}, wrap(strings.NewReader(test.in))); got != want {
					t.Errorf("%s, %v: %q becomes %q, want %q", name, a, test.in, got, want)
				}
			}
		}
	}
}

var pieces = map[string]func(io.Reader) io.Reader{
	"whole":  func(r io.Reader) io.Reader { return r },
	"bytes":  iotest.OneByteReader,
	"halves": iotest.HalfReader,
}

func TestLineEnds(t *testing.T) {
	t.Parallel()
	const in = "a\nb\r\nc\r\r\nd\re\n\r\n\r"
	for _, test := range []struct {
		ends LineEnds
		want string
	}{
		{AnyLF, "a\r\nb\r\nc\r\r\nd\re\r\n\r\n\r\r\n"},
		{OnlyCRLF, "a\nb\r\nc\r\r\nd\re\n\r\n\r\r\n"},
		{OnlyLF, "a\r\nb\r\r\nc\r\r\r\nd\re\r\n\r\r\n\r\r\n"},
		{AnyCR, "a\r\nb\r\nc\r\n\r\nd\r\ne\r\n"},
		{SkipCR, "a\r\nb\r\nc\r\nde\r\n"},
	} {
		for name, wrap := range pieces {
			if got := bodyOf(t, Form{Ends: test.ends}, wrap(strings.NewReader(in))); got != test.want {
				t.Errorf("%s, line ends %d: %q, want %q", name, test.ends, got, test.want)
			}
			want := strings.ReplaceAll(test.want, "\r\n", "\n")
			if got := bodyOf(t, Form{Ends: test.ends, LF: true}, wrap(strings.NewReader(in))); got != want {
				t.Errorf("%s, line ends %d, LF: %q, want %q", name, test.ends, got, want)
			}
		}
	}
}

// TestFlush: behind a line that is not blank, the form is what it would be if
// the body ended there, and Fork goes on from there.
func TestFlush(t *testing.T) {
	t.Parallel()
	lines := []string{"a \n", "\n", " \n", "b\tc\n", "\n", "d\n"}
	for _, a := range []Algorithm{Simple, Relaxed} {
		var got bytes.Buffer
		b := NewBody(&got, Form{Algorithm: a})
		for i, line := range lines {
			io.WriteString(b, line)
			if err := b.Flush(); err != nil {
				t.Fatal(err)
			}
			so := strings.Join(lines[:i+1], "")
			if want := bodyOf(t, Form{Algorithm: a}, strings.NewReader(so)); got.String() != want {
				t.Errorf("%v: after %q there is %q, want %q", a, so, &got, want)
			}
			forked := bytes.NewBuffer(bytes.Clone(got.Bytes()))
			fork := b.Fork(forked)
			io.WriteString(fork, "\nx")
			fork.Close()
			if want := bodyOf(t, Form{Algorithm: a}, strings.NewReader(so+"\nx")); forked.String() != want {
				t.Errorf("%v: forked after %q there is %q, want %q", a, so, forked, want)
			}
		}
	}
}

type brokenWriter struct{}

var errBroken = errors.New("broken")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestBodyError(t *testing.T) {
	t.Parallel()
	b := NewBody(brokenWriter{}, Form{})
	if _, err := b.Write(bytes.Repeat([]byte("x\n"), piece)); err != errBroken {
		t.Errorf("Write: %v", err)
	}
	if err := b.Flush(); err != errBroken {
		t.Errorf("Flush: %v", err)
	}
	if err := b.Close(); err != errBroken {
		t.Errorf("Close: %v", err)
	}
}

// TestBodyHoldsLittle: neither blank lines nor white space nor a line without
// end are kept.
func TestBodyHoldsLittle(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"\n", " ", " \n", "\r", "x", "\r\n"} {
		for _, a := range []Algorithm{Simple, Relaxed} {
			b := NewBody(io.Discard, Form{Algorithm: a})
			p := []byte(strings.Repeat(unit, piece/len(unit)))
			for range 1000 {
				b.Write(p)
			}
			io.WriteString(b, "x")
			b.Close()
			if cap(b.out) > 4*piece {
				t.Errorf("%v: holds %d bytes for %q", a, cap(b.out), unit)
			}
		}
	}
}

func BenchmarkBody(b *testing.B) {
	for name, line := range map[string]string{"text": "The quick brown fox jumps over the lazy dog, and so do others.\n", "short": "x\n"} {
		for _, a := range []Algorithm{Simple, Relaxed} {
			b.Run(name+"/"+a.String(), func(b *testing.B) {
				p := []byte(strings.Repeat(line, 1<<20/len(line)))
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					body := NewBody(io.Discard, Form{Algorithm: a})
					body.Write(p)
					body.Close()
				}
			})
		}
	}
}
