package qmaildkim

import (
	"fmt"
	"strings"
	"testing"

	"ucspi-go/internal/canon"
)

func TestUntagged(t *testing.T) {
	t.Parallel()
	long := "[" + strings.Repeat("x", maxTag) + "] "
	for _, test := range []struct {
		value string
		want  string // what it may have been, each with a bar behind
	}{
		{" dinner\n", ""},
		{"\n", ""},
		{" [list] dinner\n", " dinner\n|"},
		{"[list]dinner", "dinner|"},
		{" [list]\n", " \n|"},
		{" [list]\r\n  dinner\r\n", " dinner\r\n|"},
		{"\n [list] dinner\n\t[tonight]\n", "\n dinner\n\t[tonight]\n|"},
		{" {Spam?} dinner\n", " dinner\n|"},
		{" (fwd) dinner\n", " dinner\n|"},
		{" ***SPAM*** dinner\n", " dinner\n|"},
		{" * dinner\n", ""},
		{" *** dinner\n", ""},
		{" [list dinner\n", ""},
		{" " + long + "dinner\n", ""},
		{" [a] [b] c\n", " [b] c\n| c\n|"},
		{" [a][b][c][d] e\n", " [b][c][d] e\n| [c][d] e\n| [d] e\n|"},
		{" Re: [list] dinner\n", " Re: dinner\n|"},
		{" Fwd:[list] dinner\n", " Fwd:dinner\n|"},
		{" R:[list] dinner\n", ""},
		{" Dinner: [list] x\n", ""},
		{" 1234: [list] x\n", ""},
		{" [list] Re: dinner\n", " Re: dinner\n| Re: [list] dinner\n|"},
		{" [a] [b] Re: dinner\n", " [b] Re: dinner\n| Re: dinner\n|"},
	} {
		var got strings.Builder
		for _, s := range untagged([]byte(test.value)) {
			got.WriteString(string(s.value) + "|")
		}
		if got.String() != test.want {
			t.Errorf("untagged(%q) = %q, want %q", test.value, got.String(), test.want)
		}
	}
}

func TestFoldings(t *testing.T) {
	t.Parallel()
	const raw = "To: a,\n \tb, c,\r\n\td"
	want := []string{
		"To: a, \tb, c,\td\n",
		"To: a, b, c, d\n",
		"To: a,\n b, c,\n d\n",
		"To: a,\n\tb, c,\n\td\n",
		"To: a,\n b,\n c,\n d\n",
		"To: a,\n\tb,\n\tc,\n\td\n",
	}
	for i, f := range foldings {
		if got := f.apply([]byte(raw)); string(got) != want[i] {
			t.Errorf("%s: %q, want %q", f.how, got, want[i])
		}
	}
}

// TestHeaderForm: fields are picked as RFC 6376 section 5.4.2 says, and the
// edits leave the form they start from as it is.
func TestHeaderForm(t *testing.T) {
	t.Parallel()
	h := splitHeader([]byte("A: 1\nB: [x] 2\nDKIM-Signature: b=AA\na: 3\nC: 4\nSubject: [t] Re: s\nCc: x,\n y\n\n"))
	f := newHeaderForm(h, h.fields[2], []string{"a", "Subject", "A", "a", "b", "cc", "none", "content-transfer-encoding"}, canon.Simple)
	const want = "a: 3\r\nSubject: [t] Re: s\r\nA: 1\r\nB: [x] 2\r\nCc: x,\r\n y\r\nDKIM-Signature: b="
	if got := f.bytes(nil); string(got) != want {
		t.Errorf("form %q, want %q", got, want)
	}
	seen := make(map[string]bool)
	for form, alterations := range f.candidates() {
		text := string(form.bytes(nil))
		if len(alterations) == 0 != (text == want) && len(alterations) < 2 && alterations[0].word != "folding" && alterations[0].word != "lf" {
			t.Errorf("%v: %q", alterations, text)
		}
		seen[text] = true
	}
	if got := f.bytes(nil); string(got) != want {
		t.Errorf("form %q after the edits, want %q", got, want)
	}
	for _, want := range []string{
		strings.Replace(want, "[t] ", "", 1),
		strings.Replace(want, "[t] Re: ", "Re: [t] ", 1),
		strings.Replace(want, "a: 3\r\n", "A: 1\r\n", 1)[:6] + strings.Replace(want, "A: 1\r\n", "", 1)[6:],
		strings.Replace(want, "DKIM", "Content-Transfer-Encoding: 8bit\r\nDKIM", 1),
		strings.Replace(want, "\r\n y", " y", 1),
		strings.ReplaceAll(want, "\r\n", "\n"),
		strings.Replace(strings.Replace(want, "\r\n y", "\r\n\ty", 1), "[t] ", "", 1),
	} {
		if !seen[want] {
			t.Errorf("not tried: %q", want)
		}
	}
}

// TestHeaderSearchIsBounded: however many fields there are to try.
func TestHeaderSearchIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	var names []string
	for i := range maxSignedNames - 2 {
		fmt.Fprintf(&text, "X%d: %s,\n %s\n", i, strings.Repeat("a, ", 40), strings.Repeat("b, ", 40))
		names = append(names, fmt.Sprintf("x%d", i))
	}
	text.WriteString("Subject: [a] [b] [c] Re: [d] [e] [f] x\nFrom: x\nDKIM-Signature: b=AA\n\n")
	h := splitHeader([]byte(text.String()))
	if reason := fence(h); reason != "" {
		t.Fatal(reason)
	}
	for _, a := range []canon.Algorithm{canon.Simple, canon.Relaxed} {
		d := &diagnosis{h: h, work: maxHeaderWork}
		f := &failure{form: newHeaderForm(h, h.fields[len(h.fields)-1], append(names, "subject", "from"), a)}
		if d.fits(f, opened{}) || d.work < -maxVerifyHeader || a == canon.Simple && d.work >= 0 {
			t.Errorf("%v: %d left", a, d.work)
		}
	}
}

func TestHint(t *testing.T) {
	t.Parallel()
	if text, words := hint(nil); text != "" || words != "" {
		t.Errorf("none is %q, %q", text, words)
	}
	text, words := hint([]alteration{{"a", "with a", "A was added"}, {"b", "with b", "B was added"}, {"a", "with c", "A was added"}})
	if text != "passes with a and with b and with c: A was added, B was added" || words != "a+b" {
		t.Errorf("%q, %q", text, words)
	}
	if got, want := quote([]byte("a\"\x00\xff\\ b")), `"a'??\ b"`; got != want {
		t.Errorf("quote is %s, want %s", got, want)
	}
	if got := quote([]byte(strings.Repeat("x", 1000))); len(got) > maxQuoted+len(`"..."`) {
		t.Errorf("quote is %s", got)
	}
}
