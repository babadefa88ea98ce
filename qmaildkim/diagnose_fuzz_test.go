package qmaildkim

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// FuzzDiagnose: whatever the message, a diagnosis ends, changes nothing but
// the hints, and these are fit for a log and a terminal.
func FuzzDiagnose(f *testing.F) {
	signed := faultySigner{"relaxed/simple", " l=5;", relaxedHeader, relaxedFold, "Hi.\r\n", true}.sign(smallHeader + "Hi.\nlist\n")
	for _, seed := range []string{
		signed,
		strings.Replace(craft("d=example.com"), "dinner", "[a\xff] [b] dinner", 1) + "\r\r\n>From x\n..\n--\n",
		faultySigner{"simple/relaxed", "", simpleHeader, "\n\t", "Hi.\n", false}.sign(smallHeader + "Hi.\n"),
		faultySigner{"simple/simple", "", simpleHeader, simpleFold, "\r\n", false}.sign("Content-Type: multipart/mixed; boundary=b\n" + smallHeader +
			"--b\nContent-Transfer-Encoding: base64\n\nSGkuCg==\n--b\nContent-Transfer-Encoding: quoted-printable\n\n=41\n--b--\n"),
	} {
		f.Add([]byte(seed))
	}
	if msg, err := os.ReadFile("testdata/rfc6376.msg"); err == nil {
		f.Add(msg)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, msg := spoolOf(t, string(data))
		v := verifier{lookupTXT: testZone().lookupTXT}.verify(t.Context(), h, msg, "")
		hints := 0
		for _, s := range v.Signatures {
			if s.Hint == "" != (s.hint == "") {
				t.Errorf("hint %q is %q in the log", s.Hint, s.hint)
			}
			if s.Hint == "" {
				continue
			}
			hints++
			if !strings.ContainsRune("IUJE", rune(s.Letter)) {
				t.Errorf("letter %v has the hint %q", s.Letter, s.Hint)
			}
			if s.Hint != cleanText(s.Hint) || len(s.Hint) > 1000 || strings.Trim(s.hint, "abcdefghijklmnopqrstuvwxyz0123456789-+") != "" {
				t.Errorf("hint %q, in the log %q", s.Hint, s.hint)
			}
		}
		if hints > maxDiagnosed {
			t.Errorf("%d hints", hints)
		}
		fields := topSignatures(h)
		if fence(h) != "" || len(fields) != len(v.Signatures) {
			return
		}
		before := slices.Clone(v.Signatures)
		var tags []tagList
		for i, f := range fields {
			_, parsed := newSignature(f)
			tags = append(tags, parsed)
			before[i].Hint, before[i].hint = "", ""
		}
		keys := &keyring{ctx: t.Context(), lookup: testZone().lookupTXT, keys: make(map[string]*publishedKey)}
		after := slices.Clone(before)
		diagnose(h, msg, keys, fields, tags, after)
		for i := range after {
			if after[i].Hint != v.Signatures[i].Hint {
				t.Errorf("signature %d: hint %q, the first time %q", i, after[i].Hint, v.Signatures[i].Hint)
			}
			if after[i].Hint, after[i].hint = "", ""; after[i] != before[i] {
				t.Errorf("diagnosis makes %+v of %+v", after[i], before[i])
			}
		}
	})
}
