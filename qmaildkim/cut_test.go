package qmaildkim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// without returns a message as it is queued below the new fields.
func without(msg []byte, cut []span) []byte {
	var out []byte
	at := int64(0)
	for _, c := range cut {
		out = append(out, msg[at:c.from]...)
		at = c.to
	}
	return append(out, msg[at:]...)
}

func TestVerifyCutsForgedFields(t *testing.T) {
	t.Parallel()
	kept := "Received: from x\nAuthentication-Results: mx.example.org; dkim=pass\n\t(mx.example.net)\nARC-Authentication-Results: i=1; mx.example.net; dkim=pass\n"
	forged := "DKIM-Status: good\ndkim-status : good\nAuthentication-Results: mx.example.net; dkim=pass\n" +
		"AUTHENTICATION-RESULTS:\n\t(c)\n\tMX.EXAMPLE.NET. 1;\n\tdkim=pass\n"
	body := "\nDKIM-Status: good\nAuthentication-Results: mx.example.net; none\n"
	msg := kept + forged + "From: joe@example.com\nDKIM-Status:\n" + body
	if got, want := string(without([]byte(msg), verdictOf(t, msg, nil).cut)), kept+"From: joe@example.com\n"+body; got != want {
		t.Errorf("left is\n%s\nwant\n%s", got, want)
	}
	h, s := spoolOf(t, msg)
	v := verifier{lookupTXT: zone{}.lookupTXT}.verify(t.Context(), h, s, "")
	if got := string(without([]byte(msg), v.cut)); strings.Count(got, "mx.example.net;") != 3 {
		t.Errorf("without an own name left is\n%s", got)
	}
}

// FuzzVerify has any message judged. Whatever it is, the new fields are well
// formed and only forged fields are cut.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(craft("d=example.com")))
	f.Add([]byte(sign(f, plain, edKey, dkim.SignOptions{})))
	f.Add([]byte("DKIM-Status: good\r\nDKIM-Signature\r\n :v=1;a=rsa-sha1;d=\";s=(;b= b=;h=from;bh=\r\nFrom"))
	f.Add([]byte("Authentication-Results: mx.example.net; dkim=pass\n\n\n"))
	z := testZone()
	f.Fuzz(func(t *testing.T, msg []byte) {
		v := verdictOf(t, string(msg), z)
		checkFields(t, v)
		if _, ok := outcomes[v.Letter]; !ok {
			t.Errorf("letter %v", v.Letter)
		}
		at := int64(0)
		for _, c := range v.cut {
			if c.from < at || c.to <= c.from || c.to > int64(len(msg)) {
				t.Fatalf("cut %v", v.cut)
			}
			name, _, _ := bytes.Cut(bytes.ToLower(msg[c.from:c.to]), []byte(":"))
			hidden := bytes.Contains(msg[c.from:c.to], []byte("\r"))
			if n := string(bytes.TrimSpace(name)); !hidden && !strings.EqualFold(n, statusField) && !strings.EqualFold(n, resultsField) {
				t.Errorf("cut %q", msg[c.from:c.to])
			}
			at = c.to
		}
		if left := without(msg, v.cut); len(verdictOf(t, string(left), nil).cut) > 0 {
			t.Errorf("still forged: %q", left)
		}
	})
}

// Neither more fields than are held, nor a field larger than that, nor a bare
// CR that some program on the way makes a line end lets a forged field through.
func TestVerifyCutsHiddenForgery(t *testing.T) {
	t.Parallel()
	const ours, end = "Authentication-Results: mx.example.net; dkim=pass\n", "To: sue@example.org\n\nDKIM-Status: body\n"
	for name, test := range map[string]struct{ above, forged, below string }{
		"many fields":       {strings.Repeat("X: y\n", maxFields+1), ours + "DKIM-Status: good\n", end},
		"at the limit":      {strings.Repeat("X: y\n", maxFields-1), ours, end},
		"beyond the limit":  {strings.Repeat("X: y\n", maxFields), ours, end},
		"large field":       {"X: " + strings.Repeat("y", 3*maxHeader) + "\n", ours, end},
		"large folded":      {"X: y\n" + strings.Repeat(" y\n", maxHeader), strings.ReplaceAll(ours, ": ", ":\n "), end},
		"last field":        {strings.Repeat("X: y\n", maxFields), strings.TrimSuffix(ours, "\n"), ""},
		"behind a comment":  {strings.Repeat("X: y\n", maxFields), strings.Replace(ours, ": ", ": ("+strings.Repeat("c", maxForgedField)+")", 1), end},
		"a field at a time": {strings.Repeat("X: y\n", maxFields), strings.Repeat(ours, 3*maxCut), end},
		"CRLF":              {strings.Repeat("X: y\r\n", maxFields), crlf(ours), crlf(end)},
		"behind a CR":       {"", "X: y\r" + ours, end},
		"status behind CRs": {"X: y\r\r\r\n", "X: y\r\rDKIM-Status: good\r\n", crlf(end)},
		"kept":              {"X: y\rz\n" + strings.Repeat("X: y\n", maxFields) + "Authentication-Results: (" + strings.Repeat("c", 100) + ") mx.example.org\n", "", end},
	} {
		msg := test.above + test.forged + test.below
		if got := string(without([]byte(msg), verdictOf(t, msg, nil).cut)); got != test.above+test.below {
			t.Errorf("%s: %d bytes left of %d, want %d", name, len(got), len(msg), len(test.above+test.below))
		}
	}
	// Between more forged fields than are remembered the others go too.
	msg := strings.Repeat("X: y\n", maxFields) + strings.Repeat(ours+"X: y\n", 2*maxCut) + end
	v := verdictOf(t, msg, nil)
	if got := string(without([]byte(msg), v.cut)); strings.Contains(got, "mx.example.net") || !strings.HasSuffix(got, end) || len(v.cut) > maxCut {
		t.Errorf("%d spans, %d bytes left", len(v.cut), len(got))
	}
	line := Report{Verdict: &v, Action: actionAccept}.Line(1)
	if want := "qmail-dkim: verify pid=1 result=T reason=header-larger-than-262144-bytes verdict=accept\n"; line != want {
		t.Errorf("log %q, want %q", line, want)
	}
}
