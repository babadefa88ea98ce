package crlf_test

import (
	"bytes"
	"strings"
	"testing"

	"ucspi-go/internal/crlf"
)

// The wanted texts are what ucspi-tcp 0.88's addcr, fixcrio and delcr make.
var tests = []struct{ in, add, fix, remove string }{
	{"", "", "", ""},
	{"a", "a", "a", "a"},
	{"\n", "\r\n", "\r\n", "\n"},
	{"\r", "\r", "\r", "\r"},
	{"a\nb\n", "a\r\nb\r\n", "a\r\nb\r\n", "a\nb\n"},
	{"a\r\nb\r\n", "a\r\r\nb\r\r\n", "a\r\nb\r\n", "a\nb\n"},
	{"a\r\r\nb", "a\r\r\r\nb", "a\r\r\nb", "a\r\nb"},
	{"a\rb\r", "a\rb\r", "a\rb\r", "a\rb\r"},
	{"\n\n\r\n\r\n\n", "\r\n\r\n\r\r\n\r\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n", "\n\n\n\n\n"},
	{"\n\r", "\r\n\r", "\r\n\r", "\n\r"},
	{"\x00\xff\n", "\x00\xff\r\n", "\x00\xff\r\n", "\x00\xff\n"},
}

// conversions of a stream that comes in pieces of at most n bytes.
var conversions = []struct {
	name    string
	convert func(in string, n int) string
}{
	{"Add", func(in string, n int) string { return pieces(in, n, crlf.Add) }},
	{"Fixer", func(in string, n int) string { return pieces(in, n, new(crlf.Fixer).Append) }},
	{"Remover", func(in string, n int) string {
		var r crlf.Remover
		return pieces(in, n, r.Append) + string(r.Flush(nil))
	}},
}

func pieces(in string, n int, convert func(dst, src []byte) []byte) string {
	var out []byte
	for len(in) > n {
		out = convert(out, []byte(in[:n]))
		in = in[n:]
	}
	return string(convert(convert(out, []byte(in)), nil))
}

func TestConversions(t *testing.T) {
	t.Parallel()
	for _, tt := range tests {
		for n := 1; n <= len(tt.in)+1; n++ {
			for k, want := range []string{tt.add, tt.fix, tt.remove} {
				if got := conversions[k].convert(tt.in, n); got != want {
					t.Errorf("%s(%q) in pieces of %d = %q, want %q", conversions[k].name, tt.in, n, got, want)
				}
			}
		}
	}
}

func TestFlushEndsTheStream(t *testing.T) {
	t.Parallel()
	var r crlf.Remover
	got := r.Append(nil, []byte("a\r"))
	got = r.Flush(r.Flush(got))
	if got = r.Append(got, []byte("\n")); string(got) != "a\r\n" {
		t.Errorf("two streams give %q, want %q", got, "a\r\n")
	}
}

// With room for what the package comment says, nothing is allocated.
func TestRoom(t *testing.T) {
	for _, in := range []string{strings.Repeat("\n", 1000), strings.Repeat("\r", 1000), strings.Repeat("ab\r\n", 250)} {
		src, dst := []byte(in), make([]byte, 0, 2*len(in)+1)
		var f crlf.Fixer
		var r crlf.Remover
		if n := testing.AllocsPerRun(10, func() {
			crlf.Add(dst, src)
			f.Append(dst, src)
			r.Append(dst, src)
		}); n != 0 {
			t.Errorf("%d allocations for %.10q...", int(n), in)
		}
	}
}

// How a stream is cut makes no difference, and each conversion is what a
// plain replacement on the whole says.
func FuzzConversions(f *testing.F) {
	for _, tt := range tests {
		f.Add([]byte(tt.in), 1)
	}
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		s := string(in)
		n = max(1, min(n, len(s)+1))
		want := []string{
			strings.ReplaceAll(s, "\n", "\r\n"),
			fixed(s),
			strings.ReplaceAll(s, "\r\n", "\n"),
		}
		for k, c := range conversions {
			if got := c.convert(s, n); got != want[k] {
				t.Errorf("%s(%q) in pieces of %d = %q, want %q", c.name, s, n, got, want[k])
			}
		}
		if twice := conversions[1].convert(want[1], n); twice != want[1] {
			t.Errorf("Fixer changes its own output %q to %q", want[1], twice)
		}
		if back := conversions[2].convert(want[0], n); back != s {
			t.Errorf("Add and Remover give %q for %q", back, s)
		}
	})
}

func fixed(s string) string {
	var b bytes.Buffer
	for i := range len(s) {
		if s[i] == '\n' && (i == 0 || s[i-1] != '\r') {
			b.WriteByte('\r')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func BenchmarkConversions(b *testing.B) {
	for _, text := range []struct{ name, line string }{
		{"lines of 70", strings.Repeat("x", 69) + "\n"},
		{"lines of 8 with CR", "xxxxxx\r\n"},
		{"LF alone", "\n"},
		{"none", "x"},
	} {
		src := []byte(strings.Repeat(text.line, 64<<10/len(text.line)))
		dst := make([]byte, 0, 2*len(src)+1)
		var f crlf.Fixer
		var r crlf.Remover
		for k, convert := range []func(dst, src []byte) []byte{crlf.Add, f.Append, r.Append} {
			b.Run(conversions[k].name+"/"+text.name, func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				b.ReportAllocs()
				for b.Loop() {
					convert(dst, src)
				}
			})
		}
	}
}
