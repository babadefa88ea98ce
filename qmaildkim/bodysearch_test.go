package qmaildkim

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/internal/canon"
)

func sumOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func TestBodySum(t *testing.T) {
	t.Parallel()
	const text = "The quick brown fox."
	for _, step := range []int{1, 3, len(text)} {
		h := newBodySum([]int64{0, 5, 5, int64(len(text)), 99})
		for rest := text; rest != ""; rest = rest[min(step, len(rest)):] {
			io.WriteString(struct{ io.Writer }{h}, rest[:min(step, len(rest))])
		}
		if h.n != int64(len(text)) || !bytes.Equal(h.Sum(nil), sumOf(text)) {
			t.Errorf("steps of %d: %d bytes hashed", step, h.n)
		}
		for _, s := range h.starts {
			if s.n > h.n && s.sum != nil || s.n <= h.n && !bytes.Equal(s.sum, sumOf(text[:s.n])) {
				t.Errorf("steps of %d: the first %d bytes hash to %x", step, s.n, s.sum)
			}
		}
		fork := h.fork()
		io.WriteString(fork, "!")
		if !bytes.Equal(fork.Sum(nil), sumOf(text+"!")) || !bytes.Equal(h.Sum(nil), sumOf(text)) {
			t.Errorf("steps of %d: a fork is not by itself", step)
		}
	}
}

// A countingBody counts what is read of a body.
type countingBody struct {
	io.ReaderAt
	n int64
}

func (b *countingBody) ReadAt(p []byte, at int64) (int, error) {
	n, err := b.ReaderAt.ReadAt(p, at)
	b.n += int64(n)
	return n, err
}

// hostileBody has all that has to be tried, in lines as short as can be.
func hostileBody(size int) string {
	const head = "--b\nContent-Transfer-Encoding: quoted-printable\n\na\r\nb\rc \n>From d\n..e\n--\n--b\nContent-Transfer-Encoding: base64\n\nYQ==\n--b\nContent-Transfer-Encoding: quoted-printable\n\n"
	return head + strings.Repeat("x\n", (size-len(head))/2)
}

// TestBodySearchIsBounded: however large the body, whatever is in it.
func TestBodySearchIsBounded(t *testing.T) {
	t.Parallel()
	const work = 4 << 20
	for _, size := range []int{10, maxFooter - 2, maxFooter + 2, work / 8, work / 2} {
		body := &countingBody{ReaderAt: strings.NewReader(hostileBody(max(size, 200)))}
		s := &bodySearch{body: body, size: int64(body.ReaderAt.(*strings.Reader).Len()), mime: mimeFields{contentType: "multipart/mixed; boundary=b"}, work: work}
		want := &bodyWant{algorithm: canon.Simple, sum: make([]byte, sha256.Size), length: -1}
		length := &bodyWant{algorithm: canon.Relaxed, sum: make([]byte, sha256.Size), length: 3}
		s.search([]*bodyWant{want, length})
		if s.err != nil || want.found || length.found {
			t.Fatalf("size %d: found %v, %v, error %v", size, want.found, length.found, s.err)
		}
		tries := body.n / s.size
		if body.n > work || body.n%s.size != 0 || tries > int64(2*len(bodyVariants)) {
			t.Errorf("size %d: %d bytes read in %d passes", s.size, body.n, tries)
		}
		if s.size < work/50 && tries < int64(2*len(bodyVariants)-2) {
			t.Errorf("size %d: tried in %d ways only", s.size, tries)
		}
	}
	s := &bodySearch{body: strings.NewReader("x"), size: maxBodyWork + 1, work: maxBodyWork}
	want := &bodyWant{sum: sumOf("x\r\n"), length: -1}
	if s.search([]*bodyWant{want}); want.found {
		t.Error("a body beyond the limit was tried")
	}
}

// TestFooterIsBounded: lines and parts are left out at the end of a body, not
// anywhere.
func TestFooterIsBounded(t *testing.T) {
	t.Parallel()
	lines := func(n int) string { return strings.Repeat("list\n", n) }
	long := strings.Repeat("x", maxFooter)
	part := "--b\nfooter\n"
	head := "--b\ntext\n"
	for _, test := range []struct {
		name       string
		body, bare string
		how        string
	}{
		{"many lines", "text\n" + lines(maxFooterLines), "text\n", "without the last 500 lines"},
		{"too many lines", "text\n" + lines(maxFooterLines+1), "text\n", ""},
		{"all lines", lines(maxFooterLines), "", "without the last 500 lines"},
		{"all of too many lines", lines(maxFooterLines + 1), "", ""},
		{"long line", "text\n" + long[1:], "text\n", "without the last line"},
		{"too long a line", "text\n" + long, "text\n", ""},
		{"many parts", head + strings.Repeat(part, maxFooterParts) + "--b--\n", head + "--b--\n", "without the last 32 parts"},
		{"too many parts", head + strings.Repeat(part, maxFooterParts+1) + "--b--\n", head + "--b--\n", ""},
	} {
		s := &bodySearch{body: strings.NewReader(test.body), size: int64(len(test.body)), mime: mimeFields{contentType: `multipart/mixed; boundary="b"`}, work: maxBodyWork}
		bare := strings.ReplaceAll(test.bare, "\n", "\r\n")
		want := &bodyWant{algorithm: canon.Relaxed, sum: sumOf(bare), length: -1}
		s.search([]*bodyWant{want})
		how := ""
		if len(want.alterations) > 0 {
			how = want.alterations[0].how
		}
		if how != test.how || want.found != (test.how != "") {
			t.Errorf("%s: found %v %q, want %q", test.name, want.found, how, test.how)
		}
	}
}

func TestBodySearchError(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	for _, size := range []int64{1, maxFooter + 1} {
		body := &brokenReaderAt{err: trouble}
		s := &bodySearch{body: body, size: size, work: maxBodyWork}
		want := &bodyWant{sum: sumOf("x\r\n"), length: -1}
		if s.search([]*bodyWant{want}); s.err != trouble || want.found || body.reads != 1 {
			t.Errorf("size %d: error %v, found %v after %d reads", size, s.err, want.found, body.reads)
		}
	}
}

type brokenReaderAt struct {
	err   error
	reads int
}

func (r *brokenReaderAt) ReadAt([]byte, int64) (int, error) {
	r.reads++
	return 0, r.err
}

func TestTraits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		body string
		want string
	}{
		{"a\nb", ""},
		{"a\r\nb\r\n", "crlf"},
		{"a\r\nb\n", "crlf both"},
		{"\na\r\n", "crlf both"},
		{"a\rb", "cr"},
		{"a\r\r\n", "crlf cr"},
		{"a \nb", "blanks"},
		{"a\t\r\n", "crlf blanks"},
		{"a\n--\nb", "dashes"},
		{"--\n", "dashes"},
		{"a\n--\r\n", "crlf both dashes"},
		{"-- \n---\na--\n", "blanks"},
		{">From a\n", "from"},
		{"a\n>b", "from"},
		{"a >b\n", ""},
		{"..\n", "dots"},
		{"a\n..b\n", "dots"},
		{".a\nb..\n", ""},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "halves": iotest.HalfReader,
		} {
			s := &bodySearch{traits: new(traits)}
			io.Copy(s.traits, struct{ io.Reader }{wrap(strings.NewReader(test.body))})
			var got []string
			for _, trait := range []struct {
				name string
				has  bool
			}{
				{"crlf", hasCRLF(s, 0)}, {"both", hasBothEnds(s, 0)}, {"cr", hasBareCR(s, 0)}, {"blanks", s.traits.blanks},
				{"dashes", s.traits.dashes}, {"from", s.traits.from}, {"dots", s.traits.dots},
			} {
				if trait.has {
					got = append(got, trait.name)
				}
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("%s: %q has %q, want %q", name, test.body, got, test.want)
			}
		}
	}
}

func TestLineEdits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat(".", 3*maxLineHead)
	for _, test := range []struct{ in, from, dots, dashes, blanks string }{
		{"a\nb", "a\nb", "a\nb", "a\nb", "a\nb"},
		{">From a\n>>From b\n>From\n> From c\nx>From d\n", "From a\n>From b\n>From\n> From c\nx>From d\n", "", "", ""},
		{"..a\n..\n.b\n...\nc..\n" + "." + long, "", ".a\n.\n.b\n..\nc..\n" + long, "", ""},
		{"--\n-- \n---\n--\r\n--", "", "", "-- \n-- \n---\n-- \r\n-- ", "--\n--\n---\n--\r\n--"},
		{">" + long, ">" + long, "", "", ""},
		{"a \nb\t \r\n \nc  d\n\r \r\n e \r", "", "", "", "a\nb\r\n\nc  d\n\r\r\n e \r"},
		{"a \r\r\n\t", "", "", "", "a \r\r\n"},
		{"", "", "", "", ""},
	} {
		for name, filter := range map[string]struct {
			to   func(w io.Writer) io.WriteCloser
			want string
		}{
			"from":   {func(w io.Writer) io.WriteCloser { return editLines('>', unescapeFrom)(nil, w) }, test.from},
			"dots":   {func(w io.Writer) io.WriteCloser { return editLines('.', unstuffDots)(nil, w) }, test.dots},
			"dashes": {func(w io.Writer) io.WriteCloser { return editLines('-', restoreDashes)(nil, w) }, test.dashes},
			"blanks": {func(w io.Writer) io.WriteCloser { return &blankTrim{w: w} }, test.blanks},
		} {
			if filter.want == "" {
				continue
			}
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
				var got strings.Builder
				w := filter.to(&got)
				io.Copy(struct{ io.Writer }{w}, struct{ io.Reader }{wrap(strings.NewReader(test.in))})
				w.Close()
				if got.String() != filter.want {
					t.Errorf("%s: %q becomes %q, want %q", name, test.in, got.String(), filter.want)
				}
			}
		}
	}
	trim := &blankTrim{w: io.Discard}
	for range 100 {
		trim.Write(bytes.Repeat([]byte(" "), 1000))
	}
	if cap(trim.held) > 2*maxBlanks {
		t.Errorf("%d blanks are held", len(trim.held))
	}
}
