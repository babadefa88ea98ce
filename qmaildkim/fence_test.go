package qmaildkim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emersion/go-msgauth/dkim"
)

func TestBodyReader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"\n\r\n\n", ""},
		{"a", "a"},
		{"a\n", "a"},
		{"a\r\n\n\r\n", "a"},
		{"a\n\nb\r\n\r\nc\n", "a\n\nb\r\n\r\nc"},
		{"a \n \n", "a \n "},
		{"a\r", "a\r"},
		{"a\r\r\n", "a\r"},
		{"\ra\r\rb\n\r", "\ra\r\rb\n\r"},
		{"a\x00\n", "a\x00"},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
			"halves": iotest.HalfReader, "early EOF": iotest.DataErrReader,
		} {
			got, err := io.ReadAll(&bodyReader{r: wrap(strings.NewReader(test.in))})
			if err != nil || crlf(string(got)) != crlf(test.want) {
				t.Errorf("%s: body %q reads as %q, %v, want %q", name, test.in, got, err, test.want)
			}
		}
	}
}

func TestBodyReaderError(t *testing.T) {
	t.Parallel()
	trouble := errors.New("trouble")
	b := &bodyReader{r: io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(trouble))}
	if got, err := io.ReadAll(b); string(got) != "a\nb" || err != nil || b.err != trouble {
		t.Errorf("read %q, %v with trouble %v", got, err, b.err)
	}
}

func TestBodyReaderLongRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		body string
		long bool
	}{
		{"at the end", "a" + strings.Repeat("\n", maxBlankRun), false},
		{"inside", "a" + strings.Repeat("\n", maxBlankRun) + "b", true},
		{"inside, shorter", strings.Repeat("a"+strings.Repeat("\n", maxBlankRun/4), 9), false},
		{"of blanks", "a" + strings.Repeat(" \t\n", maxBlankRun), true},
		{"of CR", "a" + strings.Repeat("\r", 2*maxBlankRun), true},
		{"of pairs", strings.Repeat("\r\n", maxBlankRun) + " ", true},
		{"one long line", strings.Repeat(" ", 9*maxBlankRun), false},
	} {
		b := &bodyReader{r: strings.NewReader(test.body)}
		if _, err := io.Copy(io.Discard, b); err != nil || b.long != test.long {
			t.Errorf("%s: %v, long %v, want %v", test.name, err, b.long, test.long)
		}
	}
}

// FuzzBodyReader has go-msgauth hash a body and what bodyReader makes of it:
// both must hash alike under both canonicalizations.
func FuzzBodyReader(f *testing.F) {
	f.Add([]byte("Hi.\r\n\n \t\r\nJoe. \r\r\n\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Add([]byte(" \n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, c := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
			want := bodyHash(t, c, bytes.NewReader(body))
			got := bodyHash(t, c, &bodyReader{r: iotest.HalfReader(bytes.NewReader(body))})
			if got != want {
				t.Errorf("%s body hash of %q is %s through the reader, %s without", c, body, got, want)
			}
		}
	})
}

func bodyHash(t *testing.T, c dkim.Canonicalization, body io.Reader) string {
	t.Helper()
	s, err := dkim.NewSigner(&dkim.SignOptions{Domain: "example.com", Selector: "ed", Signer: edKey,
		HeaderKeys: []string{"From"}, BodyCanonicalization: c})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(s, io.MultiReader(strings.NewReader("From: joe@example.com\r\n\r\n"), body)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, value, _ := strings.Cut(s.Signature(), ":")
	tags, _ := parseTags(value)
	return tags.text("bh")
}

// TestVerifyHostile has the inputs on which go-msgauth takes seconds to hours.
// They end at once or this test does not end.
func TestVerifyHostile(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	names := func(n int) (h, fields string) {
		var a, b strings.Builder
		for i := range n {
			fmt.Fprintf(&a, ":x%d", i)
			fmt.Fprintf(&b, "x%d: y\n", i)
		}
		return a.String(), b.String()
	}
	signed := func(c string) string { return strings.Replace(craft("d=example.com"), "c=relaxed/relaxed", "c="+c, 1) }
	with := func(tag string) string { return strings.Replace(craft("d=example.com"), " d=", " "+tag+"; d=", 1) }
	manyNames, manyFields := names(16000)
	fewNames, fewFields := names(900)
	for _, test := range []struct {
		name   string
		msg    string
		letter Letter
	}{
		{"folded field", "X: y\n" + strings.Repeat(" x\n", mib/3) + craft("d=example.com"), 'T'},
		{"folded field, small", "X: y\n" + strings.Repeat(" x\n", maxFieldLines+1) + craft("d=example.com"), 'T'},
		{"folded b=", strings.Replace(craft("d=example.com"), "b=", "b="+strings.Repeat("\n A", mib/3), 1), 'T'},
		{"many fields", strings.Repeat("X: y\n", mib/5) + craft("d=example.com"), 'T'},
		{"many fields, small", strings.Repeat("X:\n", maxVerifyFields) + craft("d=example.com"), 'T'},
		{"names and fields", strings.Replace(craft("d=example.com"), "h=from", "h=from"+manyNames, 1) + manyFields, 'T'},
		{"names and fields, small", fewFields + strings.Replace(craft("d=example.com"), "h=from", "h=from"+fewNames, 1), 'T'},
		{"many signatures", strings.Repeat("DKIM-Signature: v=1\n", 900) + craft("d=example.com"), 'H'},
		{"large header", "X: " + strings.Repeat("y", mib) + "\n" + craft("d=example.com"), 'T'},
		{"line ends at the end", craft("d=example.com") + strings.Repeat("\r\n", 8*mib), 'A'},
		{"line ends inside, simple", signed("simple/simple") + strings.Repeat("\r\n", mib) + "x\n", 'T'},
		{"line ends inside, relaxed", signed("relaxed/relaxed") + strings.Repeat("\n", mib) + "x\n", 'T'},
		{"lines of blanks", signed("relaxed/relaxed") + strings.Repeat(" \n", mib), 'T'},
		{"runs of line ends", signed("simple/simple") + strings.Repeat(strings.Repeat("\n", 60000)+"x", 50), 'U'},
		{"b upon b", with("z=" + strings.Repeat("b ", 100000)), 'I'},
		{"semicolons", with(strings.Repeat(";", 200000)), 'I'},
		{"open comments", "Authentication-Results: " + strings.Repeat("(", 200000) + "\n" + craft("d=example.com"), 'A'},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := verdictOf(t, test.msg, testZone())
			if v.Letter != test.letter {
				t.Errorf("verdict %v %s %s, want %v", v.Letter, v.Reason, v.fields(), test.letter)
			}
			if test.letter == letterNotValid && !strings.Contains(v.fields(), "dkim=permerror (") {
				t.Errorf("no reason in %s", v.fields())
			}
		})
	}
}

// TestVerifyHidesOneSignature: a signature over the limits does not take the
// good one beside it along.
func TestVerifyHidesOneSignature(t *testing.T) {
	t.Parallel()
	long := "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=rsa; bh=; b=; h=from" + strings.Repeat(":x", maxSignedNames) + "\n"
	if v := verdictOf(t, long+craft("d=example.com"), testZone()); letters(v) != "TA" || v.Letter != letterPartial {
		t.Errorf("verdict %v of %s", v.Letter, letters(v))
	}
}
