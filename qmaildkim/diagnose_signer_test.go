package qmaildkim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

// A faultySigner signs by hand what its bytes say, right or wrong.
type faultySigner struct {
	c      string
	tags   string // more of them, each with its semicolon
	header string // as hashed, up to the signature's own field
	fold   string // of that field, as hashed
	body   string // as hashed
	raw    bool   // the header is signed, not its hash
}

const (
	smallHeader   = "From: joe@example.com\nSubject: dinner\n\n"
	relaxedHeader = "from:joe@example.com\r\nsubject:dinner\r\n"
	simpleHeader  = "From: joe@example.com\r\nSubject: dinner\r\n"
	relaxedFold   = " "
	simpleFold    = "\r\n\t"
)

// sign puts a signature on a message, which may be another than the hashed
// one.
func (s faultySigner) sign(message string) string {
	bh := sha256.Sum256([]byte(s.body))
	field := "v=1; a=ed25519-sha256; c=" + s.c + "; d=example.com; s=ed; h=from:subject;" + s.tags + "\n\tbh=" +
		base64.StdEncoding.EncodeToString(bh[:]) + "; b="
	name := "DKIM-Signature: "
	if s.fold == relaxedFold {
		name = "dkim-signature:"
	}
	text := []byte(s.header + name + strings.Replace(field, "\n\t", s.fold, 1))
	if !s.raw {
		sum := sha256.Sum256(text)
		text = sum[:]
	}
	return "DKIM-Signature: " + field + base64.StdEncoding.EncodeToString(ed25519.Sign(edKey, text)) + "\n" + message
}

// TestDiagnoseSigner has the faults of signers, and l=.
func TestDiagnoseSigner(t *testing.T) {
	t.Parallel()
	lf := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	for _, test := range []struct {
		name   string
		signer faultySigner
		header string
		body   string
		letter Letter
		words  string
		text   string
	}{
		{"none", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'A', "", ""},
		{"none, simple", faultySigner{"simple/simple", "", simpleHeader, simpleFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'A', "", ""},
		{"Ed25519 of libdkim", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\r\n", true}, smallHeader, "Hi.\n", 'I',
			"raw-ed25519", "passes with Ed25519 over the header instead of its SHA-256: it was signed as libdkim did before 2026"},
		{"Ed25519 of libdkim, on a list", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\r\n", true},
			strings.Replace(smallHeader, "dinner", "[list] dinner", 1), "Hi.\nlist\n", 'U', "subject-tag+raw-ed25519+footer",
			`passes with Subject without "[list] " and with Ed25519 over the header instead of its SHA-256 and without the last line: a tag was put into the subject, it was signed as libdkim did before 2026, a footer was added`},
		{"Ed25519 of libdkim, altered", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\r\n", true},
			strings.Replace(smallHeader, "dinner", "lunch", 1), "Hi.\n", 'I', "", ""},
		{"LF in the header", faultySigner{"relaxed/relaxed", "", lf(relaxedHeader), relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'I',
			"lf", "passes with LF for line ends: the signer hashed lines as they lie on its disk"},
		{"LF in the body", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\n", false}, smallHeader, "Hi.\n", 'U',
			"lf", "passes with LF for line ends: the signer hashed lines as they lie on its disk"},
		{"LF in both", faultySigner{"relaxed/relaxed", "", lf(relaxedHeader), relaxedFold, "Hi.\n", false}, smallHeader, "Hi.\n", 'U',
			"lf", "passes with LF for line ends: the signer hashed lines as they lie on its disk"},
		{"LF in both, with a footer", faultySigner{"relaxed/relaxed", "", lf(relaxedHeader), relaxedFold, "Hi.\n", false}, smallHeader, "Hi.\nlist\n", 'U',
			"lf+footer", "passes with LF for line ends and without the last line: the signer hashed lines as they lie on its disk, a footer was added"},
		{"LF in the own field", faultySigner{"simple/simple", "", simpleHeader, "\n\t", "Hi.\r\n", false}, smallHeader, "Hi.\n", 'I',
			"lf", "passes with LF in the folds of DKIM-Signature: libdkim signed with a simple header"},
		{"other body form", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi. \r\n", false}, smallHeader, "Hi. \n", 'U',
			"wrong-c", "passes with the other body canonicalization: the signer hashed otherwise than c= says"},
		{"other header form", faultySigner{"simple/simple", "", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'I',
			"wrong-c", "passes with the other header canonicalization: the signer hashed otherwise than c= says"},
		{"bare LF is text", faultySigner{"simple/simple", "", simpleHeader, simpleFold, "Hi.\nJoe\r\n", false}, smallHeader, "Hi.\nJoe\r\n", 'U',
			"bare-lf", "passes with bare LF as text: the signer took only CR LF for a line end"},
		{"bare CR in the body", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi. \r.\r\n", false}, smallHeader, "Hi. \r.\n", 'U',
			"bare-cr", "passes with CR as RFC 6376 has it: this verifier takes a bare CR for white space"},
		{"bare CR in the header", faultySigner{"relaxed/relaxed", "", "from:joe@example.com\r\nsubject:din\rner\r\n", relaxedFold, "Hi.\r\n", false},
			strings.Replace(smallHeader, "dinner", "din\rner", 1), "Hi.\n", 'I',
			"bare-cr", "passes with CR as RFC 6376 has it: this verifier takes a bare CR for white space"},
		{"footer below nothing", faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "", false}, smallHeader, "\nlist\n", 'U',
			"footer", "passes without the last 2 lines: a footer was added"},
		{"footer below nothing, simple", faultySigner{"relaxed/simple", "", relaxedHeader, relaxedFold, "\r\n", false}, smallHeader, "list\n", 'U',
			"footer", "passes without the last line: a footer was added"},

		{"length", faultySigner{"relaxed/relaxed", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\nlist\n", 'E',
			"length", "passes up to its l=: 6 bytes were added behind it"},
		{"length 0", faultySigner{"relaxed/relaxed", " l=0;", relaxedHeader, relaxedFold, "", false}, smallHeader, "list\n", 'E',
			"length", "passes up to its l=: 6 bytes were added behind it"},
		{"length of all", faultySigner{"relaxed/relaxed", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n\n", 'E',
			"length", "passes but for l=: l= covers the whole body and is not honoured"},
		{"length and tag", faultySigner{"relaxed/relaxed", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", false},
			strings.Replace(smallHeader, "dinner", "[list] dinner", 1), "Hi.\nlist\n", 'E', "subject-tag+length",
			`passes with Subject without "[list] " and up to its l=: a tag was put into the subject, 6 bytes were added behind it`},
		{"length and other text", faultySigner{"relaxed/relaxed", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Ho.\nlist\n", 'E', "", ""},
		{"length and other header", faultySigner{"relaxed/relaxed", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", false},
			strings.Replace(smallHeader, "dinner", "lunch", 1), "Hi.\nlist\n", 'E', "", ""},
		{"length beyond the body", faultySigner{"relaxed/relaxed", " l=50;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'E', "", ""},
		{"length beyond what was hashed", faultySigner{"relaxed/relaxed", " l=50;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\nlist\n", 'E', "", ""},
		{"length beyond numbers", faultySigner{"relaxed/relaxed", " l=9223372036854775808;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\nlist\n", 'E', "", ""},
		{"length that is none", faultySigner{"relaxed/relaxed", " l=-5;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'E', "", ""},
		{"length that is huge", faultySigner{"relaxed/relaxed", " l=99999999999999999999;", relaxedHeader, relaxedFold, "Hi.\r\n", false}, smallHeader, "Hi.\n", 'E', "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := verdictOf(t, test.signer.sign(test.header+test.body), testZone()).Signatures[0]
			if s.Letter != test.letter || s.hint != test.words || s.Hint != test.text {
				t.Errorf("letter %v, hint %q: %s\nwant %v, %q: %s", s.Letter, s.hint, s.Hint, test.letter, test.words, test.text)
			}
		})
	}
}

// TestDiagnoseTesting: t=y in the key is no obstacle.
func TestDiagnoseTesting(t *testing.T) {
	t.Parallel()
	z := testZone()
	z[keyOfEd] = []string{edRecord() + "; t=y"}
	for change, words := range map[string]string{"Hi.\nlist\n": "footer", "Ho.\n": ""} {
		msg := strings.Replace(craft("d=example.com"), "Hi.\n", change, 1)
		if s := verdictOf(t, msg, z).Signatures[0]; s.Letter != letterTesting || s.hint != words {
			t.Errorf("letter %v, hint %q, want %q", s.Letter, s.hint, words)
		}
	}
}

// TestDiagnosisDecidesNothing: with all else as it was, a signature gets its
// hint and no other letter, and of many failed ones the first get one.
func TestDiagnosisDecidesNothing(t *testing.T) {
	t.Parallel()
	good := craft("d=example.com")
	field, rest, _ := strings.Cut(good, "\n")
	raw := faultySigner{"relaxed/relaxed", "", relaxedHeader, relaxedFold, "Hi.\r\n", true}.sign("")
	msg := raw + field + "\n" + strings.Repeat(strings.Replace(field, "h=from:subject", "h=from", 1)+"\n", 2) + raw + rest
	h, s := spoolOf(t, msg)
	v := verifier{lookupTXT: testZone().lookupTXT}.verify(t.Context(), h, s, "")
	var hints []string
	for _, s := range v.Signatures {
		hints = append(hints, s.hint)
	}
	if letters(v) != "IAIII" || v.Letter != letterPartial || !slices.Equal(hints, []string{"raw-ed25519", "", "", "", ""}) {
		t.Errorf("verdict %v of %s with hints %q", v.Letter, letters(v), hints)
	}
	alone := verdictOf(t, raw+rest, testZone())
	if alone.Letter != letterBad || alone.Result() != "fail" || !strings.Contains(alone.fields(), "dkim=fail (signature did not verify)") {
		t.Errorf("verdict %v: %s", alone.Letter, alone.fields())
	}
}
