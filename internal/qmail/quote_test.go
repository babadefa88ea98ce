package qmail

import "testing"

func TestQuote(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"a@example.com", "a@example.com"},
		{"a.b!#$%&'*+-/=?^_`{|}~9@example.com", "a.b!#$%&'*+-/=?^_`{|}~9@example.com"},
		{"a b@example.com", `"a b"@example.com`},
		{`a"\b@example.com`, `"a\"\\b"@example.com`},
		{"a@b@example.com", `"a@b"@example.com`},
		{".a@example.com", `".a"@example.com`},
		{"a.@example.com", `"a."@example.com`},
		{"a..b@example.com", `"a..b"@example.com`},
		{"@example.com", `""@example.com`},
		{"a<b>@example.com", `"a<b>"@example.com`},
		{"a(b)c,d:e;f[g]@x", `"a(b)c,d:e;f[g]"@x`},
		{"postmaster", "postmaster"},
		{"a>b", `"a>b"`},
		{"a@", "a@"},
		{"jörg@example.com", "jörg@example.com"},
		{"jörg x@example.com", `"jörg x"@example.com`},
		{"j\xf6rg@example.com", "\"j\xf6rg\"@example.com"},
		{"ユーザー@例え.jp", "ユーザー@例え.jp"},
		{"#@[]", "#@[]"},
		{"a\x01\x7f@example.com", "\"a\x01\x7f\"@example.com"},
	} {
		if got := Quote(tt.in); got != tt.want {
			t.Errorf("Quote(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
