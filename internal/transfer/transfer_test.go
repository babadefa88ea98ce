package transfer

import (
	"bytes"
	stdbase64 "encoding/base64"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
)

var pieces = map[string]func(io.Reader) io.Reader{
	"whole":  func(r io.Reader) io.Reader { return r },
	"bytes":  iotest.OneByteReader,
	"halves": iotest.HalfReader,
}

func undone(t testing.TB, contentType, encoding string, undo Undo, body io.Reader) (text string, w *Writer) {
	t.Helper()
	var b bytes.Buffer
	w = NewWriter(&b, contentType, encoding, undo)
	if _, err := io.Copy(struct{ io.Writer }{w}, struct{ io.Reader }{body}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String(), w
}

var all = Undo{Quoted: true, Base64: true, Label: "8bit"}

func TestOnePart(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, contentType, encoding, in, want string }{
		{"quoted", "text/plain", "quoted-printable", "gr=C3=BC=c3=9fe\n", "gr\xc3\xbc\xc3\x9fe\n"},
		{"soft line ends", "", "Quoted-Printable", "a =\nb=  \r\nc\n", "a bc\n"},
		{"blanks at line ends", "", "quoted-printable", "a=20\t \n=09\r\n", "a \n\t\r\n"},
		{"no escapes", "", "quoted-printable", "a=b =4 =\n==41=4", "a=b =4 =A=4"},
		{"ends softly", "", "quoted-printable", "a=", "a"},
		{"base64", "text/plain; charset=utf-8", "base64", "Z3LDvMOfZQpi\nCg==\n", "gr\xc3\xbc\xc3\x9fe\nb\n"},
		{"base64 with blanks", "", "BASE64", "YQ pi\r\n \nC m M\nK", "a\nb\nc\n"},
		{"base64 behind its end", "", "base64", "YQo=\nYQo=\n", "a\n"},
		{"no text", "application/pdf", "base64", "YQo=\n", "YQo=\n"},
		{"other", "text/plain", "8bit", "a=41\n", "a=41\n"},
		{"bad type", ";;", "quoted-printable", "=41\n", "A\n"},
		{"long line", "", "quoted-printable", "=41\n" + strings.Repeat("=41", maxLine) + "\n=41\n", "A\n" + strings.Repeat("=41", maxLine) + "\n=41\n"},
		{"multipart without boundary", "multipart/mixed", "quoted-printable", "=41\n", "=41\n"},
	} {
		for name, wrap := range pieces {
			if got, _ := undone(t, test.contentType, test.encoding, all, wrap(strings.NewReader(test.in))); got != test.want {
				t.Errorf("%s, %s: %q becomes %q, want %q", test.name, name, test.in, got, test.want)
			}
		}
	}
}

const nested = `preamble =41
--b
Content-Type: text/plain
Content-Transfer-Encoding: LABEL

gr=C3=BC=C3=9Fe
=2E=
--b
content-type: multipart/alternative; boundary="c d"
Content-Transfer-Encoding: 7bit

--c d
Content-Transfer-Encoding:
 LABEL
X: =41

--bb
Joe=20
--c d--
=41 between
--b
Content-Type: application/pdf
Content-Transfer-Encoding: quoted-printable

=41
--b

no header =41
--b--
=41
`

func TestParts(t *testing.T) {
	t.Parallel()
	in := strings.ReplaceAll(nested, "LABEL", "quoted-printable")
	want := strings.NewReplacer("LABEL", "8bit", "quoted-printable", "8bit", "gr=C3=BC=C3=9F", "gr\xc3\xbc\xc3\x9f", "=2E=", ".", "Joe=20", "Joe ", "\n\n=41\n--b", "\n\nA\n--b").Replace(nested)
	for name, wrap := range pieces {
		got, _ := undone(t, "multipart/mixed; boundary=b", "", all, wrap(strings.NewReader(in)))
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got, _ := undone(t, "multipart/mixed; boundary=b", "", all, wrap(strings.NewReader(strings.ReplaceAll(in, "\n", "\r\n")))); strings.ReplaceAll(got, "\r\n", "\n") != want {
			t.Errorf("%s: with CRLF %q, want %q", name, got, want)
		}
	}
	if got, _ := undone(t, "multipart/mixed; boundary=b", "", Undo{Base64: true}, strings.NewReader(in)); got != in {
		t.Errorf("not asked for, but %q", got)
	}
}

// TestBase64Part: the line end before a delimiter is not the part's (RFC 2046
// section 5.1.1).
func TestBase64Part(t *testing.T) {
	t.Parallel()
	in := "--b\nContent-Transfer-Encoding: base64\nContent-Type: TEXT/html\n\nYQpi\n\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nYQo=\n--b--\n"
	want := "--b\nContent-Transfer-Encoding: 7bit\nContent-Type: TEXT/html\n\na\nb\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nYQo=\n--b--\n"
	for name, wrap := range pieces {
		got, w := undone(t, "multipart/related; boundary=b", "", Undo{Base64: true, Label: "7bit"}, wrap(strings.NewReader(in)))
		if got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if quoted, base64 := w.Found(); quoted || !base64 {
			t.Errorf("found %v, %v", quoted, base64)
		}
	}
}

// TestLimits: beyond them all passes unchanged, and what came before stays.
func TestLimits(t *testing.T) {
	t.Parallel()
	const label = "Content-Transfer-Encoding: quoted-printable\n"
	deep, last := "", ""
	for i := range maxDepth {
		b := strings.Repeat("x", i+1)
		deep += "--" + last + "\nContent-Type: multipart/mixed; boundary=" + b + "\n\n"
		last = b
	}
	for _, test := range []struct{ name, in, want string }{
		{"long header", "--\n" + label + strings.Repeat("X: y\n", maxHead/5) + "\n=41\n", ""},
		{"long line in a header", "--\n" + label + "X: " + strings.Repeat("y", maxLine) + "\n\n=41\n", ""},
		{"long line of text", "--\n\n" + strings.Repeat("-", 2*maxLine) + "\n--\n" + label + "\n=41\n", "A"},
		{"deep", deep + "--" + last + "\n" + label + "\n=41\n", ""},
		{"less deep", deep + "--" + last[1:] + "\n" + label + "\n=41\n", "A"},
		{"no end", "--\n" + label + "X: ", ""},
	} {
		in := strings.ReplaceAll(test.in, "--\n", "--b\n")
		want := in
		if test.want != "" {
			want = strings.NewReplacer("quoted-printable", "8bit", "=41", test.want).Replace(in)
		}
		for name, wrap := range pieces {
			got, w := undone(t, "multipart/mixed; boundary=b", "", all, wrap(strings.NewReader(in)))
			if got != want {
				t.Errorf("%s, %s: %.200q, want %.200q", test.name, name, got, want)
			}
			if len(w.bounds) > maxDepth || cap(w.head)+cap(w.held) > 4*maxHead {
				t.Errorf("%s: %d multiparts, %d bytes held", test.name, len(w.bounds), cap(w.head)+cap(w.held))
			}
		}
	}
}

func TestWriterError(t *testing.T) {
	t.Parallel()
	r, pipe := io.Pipe()
	broken := errors.New("broken")
	r.CloseWithError(broken)
	w := NewWriter(pipe, "", "quoted-printable", all)
	if _, err := w.Write([]byte("a\nb")); err != broken {
		t.Errorf("Write: %v", err)
	}
	if err := w.Close(); err != broken {
		t.Errorf("Close: %v", err)
	}
}

// FuzzUndo: what was encoded comes back, nothing changes unless asked for, and
// it makes no difference in what pieces a body comes.
func FuzzUndo(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(nested, "LABEL", "quoted-printable")))
	f.Add([]byte("--b\ncontent-transfer-encoding:base64\n\nYQ==\n--b--"))
	f.Add([]byte("gr\xc3\xbc\xc3\x9fe \n\n--b\r\n=\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		const contentType = "multipart/mixed; boundary=b"
		if got, _ := undone(t, contentType, "", Undo{}, bytes.NewReader(body)); got != string(body) {
			t.Errorf("%q becomes %q", body, got)
		}
		whole, _ := undone(t, contentType, "", all, bytes.NewReader(body))
		if got, _ := undone(t, contentType, "", all, iotest.OneByteReader(bytes.NewReader(body))); got != whole {
			t.Errorf("%q becomes %q in pieces, %q at once", body, got, whole)
		}
		if len(whole) > len(body)+bytes.Count(body, []byte("\n")) {
			t.Errorf("%q grows to %q", body, whole)
		}
		encoded := stdbase64.StdEncoding.EncodeToString(body)
		if got, _ := undone(t, "", "base64", all, strings.NewReader(encoded)); len(encoded) < maxLine && got != string(body) {
			t.Errorf("%q comes back as %q", body, got)
		}
		var quoted bytes.Buffer
		w := quotedprintable.NewWriter(&quoted)
		w.Binary = true
		w.Write(body)
		w.Close()
		if got, _ := undone(t, "", "quoted-printable", all, &quoted); got != string(body) {
			t.Errorf("%q comes back as %q", body, got)
		}
	})
}

func BenchmarkUndo(b *testing.B) {
	for name, body := range map[string]string{
		"text":   "--b\nContent-Type: text/plain\n\n" + strings.Repeat("The quick brown fox jumps over the lazy dog, and so do others.\n", 16000),
		"dashes": "--b\nContent-Type: text/plain\n\n" + strings.Repeat("--\n", 350000),
		"quoted": "--b\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("The quick brown fox jumps =FCber the lazy dog, and so do others.\n", 16000),
		"base64": "--b\nContent-Transfer-Encoding: base64\n\n" + strings.Repeat("VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyDDvGJlciB0aGUgbGF6eSBkb2csIGFuZCBzbyBk\n", 16000),
		"short":  "--b\nContent-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("x\n", 500000),
	} {
		b.Run(name, func(b *testing.B) {
			p := []byte(body)
			b.SetBytes(int64(len(p)))
			b.ReportAllocs()
			for b.Loop() {
				w := NewWriter(io.Discard, "multipart/mixed; boundary=b", "", all)
				w.Write(p)
				w.Close()
			}
		})
	}
}
