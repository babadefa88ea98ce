package ask

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"ucspi-go/internal/crlf"
	"ucspi-go/internal/prog"
)

// pieces converts a stream that comes in pieces of at most n bytes.
func pieces(f filter, in string, n int) string {
	var out []byte
	for len(in) > n {
		out = f.Append(out, []byte(in[:n]))
		in = in[n:]
	}
	return string(f.Flush(f.Append(out, []byte(in))))
}

// everyByte is a text of all bytes.
func everyByte() string {
	var b []byte
	for c := range 256 {
		b = append(b, byte(c))
	}
	return string(b)
}

// The wanted text is what GNU cat -v prints.
func TestVisible(t *testing.T) {
	t.Parallel()
	const want = "^@^A^B^C^D^E^F^G^H\t\n^K^L^M^N^O^P^Q^R^S^T^U^V^W^X^Y^Z^[^\\^]^^^_" +
		" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~^?" +
		"M-^@M-^AM-^BM-^CM-^DM-^EM-^FM-^GM-^HM-^IM-^JM-^KM-^LM-^MM-^NM-^OM-^PM-^QM-^RM-^SM-^TM-^UM-^VM-^WM-^XM-^YM-^ZM-^[M-^\\M-^]M-^^M-^_" +
		"M- M-!M-\"M-#M-$M-%M-&M-'M-(M-)M-*M-+M-,M--M-.M-/M-0M-1M-2M-3M-4M-5M-6M-7M-8M-9M-:M-;M-<M-=M->M-?" +
		"M-@M-AM-BM-CM-DM-EM-FM-GM-HM-IM-JM-KM-LM-MM-NM-OM-PM-QM-RM-SM-TM-UM-VM-WM-XM-YM-ZM-[M-\\M-]M-^M-_" +
		"M-`M-aM-bM-cM-dM-eM-fM-gM-hM-iM-jM-kM-lM-mM-nM-oM-pM-qM-rM-sM-tM-uM-vM-wM-xM-yM-zM-{M-|M-}M-~M-^?"
	if got := pieces(visible{}, everyByte(), 256); got != want {
		t.Errorf("visible prints %q, want %q", got, want)
	}
}

// The wanted texts are what ucspi-tcp 0.88's http@ prints.
func TestBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"HTTP/1.0 200 OK\r\nA: b\r\n\r\nline\n", "line\n"},
		{"A: b\n\nno end", "no end\n"},
		{"no empty line\nat all", ""},
		{"A: b\r\n", ""},
		{"A: b\r\n\r\n", ""},
		{"A: b\n\na\n\n\r\nb\n\n", "a\nb\n"},
		{"\nfirst\n", "first\n"},
		{"A\r\r\n\na\r\r\n\rb\r", "a\r\n\rb\r\n"},
		{"A\n\n\x00\n \n\t\nnul\x00in\xff\n", "\x00\n \n\t\nnul\x00in\xff\n"},
		{"A\n\n" + strings.Repeat("x", 100000), strings.Repeat("x", 100000) + "\n"},
	} {
		for _, n := range []int{1, 2, 3, 5, len(tt.in) + 1} {
			f := &chain{first: &crlf.Remover{}, second: &body{}}
			if got := pieces(f, tt.in, n); got != tt.want {
				t.Errorf("body of %.50q in pieces of %d = %.50q, want %.50q", tt.in, n, got, tt.want)
			}
		}
	}
}

// An answer that is broken off is shown to its last byte. Delcr 0.88 keeps a
// CR there.
func TestBrokenAnswer(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	env := &prog.Env{Stdout: &out, Fd: func(int) *os.File { return os.Stdout }}
	broken := io.MultiReader(strings.NewReader("a\r\nb\r"), iotest.ErrReader(syscall.ECONNRESET))
	err := show(env, breakable{broken}, &chain{first: &crlf.Remover{}, second: visible{}}, exitCat)
	if err != nil || out.String() != "a\nb^M" {
		t.Errorf("shown %q, %v", out.String(), err)
	}
}

// How an answer is cut makes no difference, and nothing but printable
// characters, tabs and newlines reaches the terminal.
func FuzzVisible(f *testing.F) {
	f.Add(everyByte(), 7)
	f.Add("a\r\r\n\x1b[2J\r", 1)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(1, min(n, len(in)+1))
		got := pieces(&chain{first: &crlf.Remover{}, second: visible{}}, in, n)
		var want strings.Builder
		for _, c := range []byte(strings.ReplaceAll(in, "\r\n", "\n")) {
			want.WriteString(visibleByte(c))
		}
		if got != want.String() {
			t.Errorf("%q in pieces of %d prints %q, want %q", in, n, got, want.String())
		}
		for _, c := range []byte(got) {
			if (c < ' ' || c > '~') && c != '\t' && c != '\n' {
				t.Errorf("%q prints the byte %#x", in, c)
			}
		}
	})
}

func visibleByte(c byte) string {
	switch {
	case c == '\t' || c == '\n' || c >= ' ' && c <= '~':
		return string(rune(c))
	case c >= 0x80+' ' && c <= 0x80+'~':
		return fmt.Sprintf("M-%c", c-0x80)
	case c >= 0x80:
		return fmt.Sprintf("M-^%c", (c-0x80)^0x40)
	}
	return fmt.Sprintf("^%c", c^0x40)
}

// How an answer is cut makes no difference, and what is printed is what a
// plain reading of the awk program says.
func FuzzBody(f *testing.F) {
	f.Add("HTTP/1.0 200 OK\r\nA: b\r\n\r\na\n\nb", 3)
	f.Add("\n\n\r\r\n\r", 1)
	f.Fuzz(func(t *testing.T, in string, n int) {
		n = max(1, min(n, len(in)+1))
		got := pieces(&chain{first: &crlf.Remover{}, second: &body{}}, in, n)
		if want := bodyOf(strings.ReplaceAll(in, "\r\n", "\n")); got != want {
			t.Errorf("%q in pieces of %d prints %q, want %q", in, n, got, want)
		}
	})
}

func bodyOf(text string) string {
	var out strings.Builder
	begun := false
	for line := range strings.Lines(text) {
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "":
			begun = true
		case begun:
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}
