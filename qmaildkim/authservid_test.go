package qmaildkim

import (
	"strings"
	"testing"
)

func TestAuthServID(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value string
		id    string
		ok    bool
	}{
		{" mx.example.net; dkim=pass", "mx.example.net", true},
		{" mx.example.net 1; dkim=pass", "mx.example.net", true},
		{"\r\n\tmx.example.net\r\n\t; none", "mx.example.net", true},
		{"\n (a (nested \\) one) b)\n mx.example.net(x); none", "mx.example.net", true},
		{` "mx.\example.net" 1; none`, "mx.example.net", true},
		{" \"a b\n\tc\"; none", "a b\tc", true},
		{" mx", "mx", true},
		{" ; dkim=pass", "", false},
		{"", "", false},
		{" (open; mx.example.net", "", false},
		{` "open; mx.example.net`, "", false},
		{` "open\`, "", false},
	} {
		if id, ok := authServID(test.value); id != test.id || ok != test.ok {
			t.Errorf("authServID(%q) = %q, %v, want %q, %v", test.value, id, ok, test.id, test.ok)
		}
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		value, id string
		want      bool
	}{
		{" mx.example.net; dkim=pass", "mx.example.net", true},
		{" MX.Example.NET.; dkim=pass", "mx.example.net", true},
		{" mx.example.net; dkim=pass", "MX.EXAMPLE.NET", true},
		{" mail.bücher.example; none", "mail.xn--bcher-kva.example", true},
		{" mail.xn--bcher-kva.example; none", "mail.Bücher.example", true},
		{" mx.example.net\f; dkim=pass", "mx.example.net", true},
		{" mx.example.net\x00; dkim=pass", "mx.example.net", true},
		{" mx.example.org; x=mx.example.net", "mx.example.net", false},
		{" mx.example.net.evil.example; none", "mx.example.net", false},
		{" (unclosed MX.example.net; dkim=pass", "mx.example.net", true},
		{" (unclosed mx.example.org; dkim=pass", "mx.example.net", false},
	} {
		if got := claims(test.value, test.id); got != test.want {
			t.Errorf("claims(%q, %q) = %v", test.value, test.id, got)
		}
	}
}

func FuzzAuthServID(f *testing.F) {
	f.Add(" mx.example.net 1; dkim=pass")
	f.Add(" (a (b) \\) c)\r\n\t\"mx.example.net\"; none")
	f.Fuzz(func(t *testing.T, value string) {
		if id, ok := authServID(value); ok && len(id) > len(value) {
			t.Errorf("authServID(%q) = %q", value, id)
		}
		// Whatever stands behind our own name, the field is ours.
		if !claims(" (x"+strings.NewReplacer("(", "", ")", "", `\`, "").Replace(value)+")mx.example.net;"+value, "mx.example.net") {
			t.Errorf("our name before %q is not seen", value)
		}
		// What we write can be read back.
		if clean := cleanText(value); clean != "" && len(clean) <= maxProperty {
			if id, ok := authServID(propertyValue(clean)); !ok || id != clean {
				t.Errorf("authServID(propertyValue(%q)) = %q, %v", clean, id, ok)
			}
		}
	})
}
