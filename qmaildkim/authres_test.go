package qmaildkim

import (
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/authres"
)

func TestVerdictFields(t *testing.T) {
	t.Parallel()
	good := Signature{Domain: "example.com", Selector: "default", Algorithm: "rsa-sha256", Value: "abc+defghijk", Letter: 'A'}
	bad := Signature{Domain: "other.example", Selector: "s1", Algorithm: "ed25519-sha256", Value: "abcdefghXY==", Letter: 'U', Reason: "body hash did not verify"}
	for _, test := range []struct {
		name string
		v    Verdict
		want string
	}{
		{"unsigned", Verdict{Letter: 'S', authServID: "mx.example.net"}, `DKIM-Status: no signature (no signatures)
Authentication-Results: mx.example.net;
	dkim=none
`},
		{"no name", Verdict{Letter: 'A', Signatures: []Signature{good}}, "DKIM-Status: good\n"},
		{"good", Verdict{Letter: 'A', Signatures: []Signature{good}, authServID: "MX.example.net"}, `DKIM-Status: good
Authentication-Results: mx.example.net;
	dkim=pass header.d=example.com header.s=default header.a=rsa-sha256
	header.b=abc+defg
`},
		{"good and bad", Verdict{Letter: 'C', Signatures: []Signature{bad, good}, authServID: "mx"}, `DKIM-Status: good (verify result: at least one but not all signatures verified)
Authentication-Results: mx;
	dkim=fail (body hash did not verify) header.d=other.example header.s=s1
	header.a=ed25519-sha256 header.b=abcdefgh;
	dkim=pass header.d=example.com header.s=default header.a=rsa-sha256
	header.b=abc+defg
`},
		{"international", Verdict{Letter: 'A', Signatures: []Signature{{Domain: "Bücher.example", Letter: 'A'}}, authServID: "mx.bücher.example"}, `DKIM-Status: good
Authentication-Results: mx.xn--bcher-kva.example;
	dkim=pass header.d=xn--bcher-kva.example
`},
		{"same eight bytes", Verdict{Letter: 'I', Signatures: []Signature{
			{Value: "12345678A", Letter: 'I'}, {Value: "12345678B", Letter: 'I'},
		}, authServID: "mx"}, `DKIM-Status: bad (signature error: RSA/ED25519 verify failed)
Authentication-Results: mx;
	dkim=fail header.b=12345678A;
	dkim=fail header.b=12345678B
`},
		{"same beginning", Verdict{Letter: 'I', Signatures: []Signature{
			{Value: "12345678AB/=", Letter: 'I'}, {Value: "12345678ABC=", Letter: 'I'}, {Value: "1234", Letter: 'H'},
		}, authServID: "mx"}, `DKIM-Status: bad (signature error: RSA/ED25519 verify failed)
Authentication-Results: mx;
	dkim=fail header.b="12345678AB/";
	dkim=fail header.b=12345678ABC;
	dkim=permerror header.b=1234
`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := test.v.fields(); got != test.want {
				t.Errorf("fields:\n%swant:\n%s", got, test.want)
			}
		})
	}
}

// TestVerdictFieldsHostile has signatures that try to write fields, results or
// comments of their own.
func TestVerdictFieldsHostile(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a\r\nX-Evil: 1", `"); dkim=pass (`, "a; dkim=pass header.d=b", `\`, `"`, "é\x00\x7f", "((((", strings.Repeat(`"`, 9000),
	} {
		v := Verdict{Letter: 'H', authServID: "mx.example.net", Signatures: []Signature{
			{Domain: text, Selector: text, Algorithm: text, Value: text, Letter: 'H', Reason: "key (unbalanced"},
		}}
		checkFields(t, v)
	}
}

// checkFields reports fields that are more than one DKIM-Status and one
// Authentication-Results of as many results as there are signatures.
func checkFields(t *testing.T, v Verdict) {
	t.Helper()
	out := v.fields()
	for line := range strings.Lines(out) {
		if len(line) > 998 {
			t.Errorf("line of %d bytes", len(line))
		}
	}
	status, results, ok := strings.Cut(out, "\nAuthentication-Results: ")
	if !ok || !strings.HasPrefix(status, "DKIM-Status: ") || strings.Contains(status, "\n") {
		t.Fatalf("fields %q", out)
	}
	flat := strings.ReplaceAll(strings.TrimSuffix(results, "\n"), "\n\t", " ")
	if strings.IndexFunc(flat, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		t.Errorf("fields hold odd bytes: %q", out)
	}
	want := max(1, len(v.Signatures))
	if got := topLevelResults(flat); got != want {
		t.Errorf("%d results, want %d: %q", got, want, out)
	}
}

// topLevelResults counts the semicolons outside comments and quoted strings.
func topLevelResults(s string) int {
	n, depth, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case quoted || c == '"' && depth == 0:
			quoted = c != '"' || !quoted
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ';' && depth == 0:
			n++
		}
	}
	if depth != 0 || quoted {
		return -1
	}
	return n
}

// TestVerdictFieldsAreRead has another reader of the field agree.
func TestVerdictFieldsAreRead(t *testing.T) {
	t.Parallel()
	v := Verdict{Letter: 'A', authServID: "mx.example.net", Signatures: []Signature{
		{Domain: "example.com", Selector: "default", Algorithm: "rsa-sha256", Value: "abcdefghijk", Letter: 'A'},
	}}
	_, value, _ := strings.Cut(v.fields(), "Authentication-Results:")
	id, results, err := authres.Parse(strings.ReplaceAll(value, "\n", "\r\n"))
	if err != nil || id != "mx.example.net" || len(results) != 1 {
		t.Fatalf("%q, %v, %v", id, results, err)
	}
	if r, ok := results[0].(*authres.DKIMResult); !ok || r.Value != authres.ResultPass || r.Domain != "example.com" {
		t.Errorf("read %+v", results[0])
	}
}
