package qmail

import "testing"

func TestQuote(t *testing.T) {
	tests := []struct{ address, want string }{
		{"", ""},
		{"joe@example.com", "joe@example.com"},
		{"joe", "joe"},
		{"j.o+e=x!#$%&'*-/?^_`{|}~0Z@h", "j.o+e=x!#$%&'*-/?^_`{|}~0Z@h"},
		{"a b@h", `"a b"@h`},
		{`a"b\c@h`, `"a\"b\\c"@h`},
		{"a@b@h", `"a@b"@h`},
		{"a..b@h", `"a..b"@h`},
		{".a@h", `".a"@h`},
		{"a.@h", `"a."@h`},
		{"@h", `""@h`},
		{"a>b", `"a>b"`},
		{"a\tb@h", "\"a\tb\"@h"},
		{"ユーザー@例え.jp", "ユーザー@例え.jp"},
		{"\xff@h", "\"\xff\"@h"},
		{"#@[]", "#@[]"},
	}
	for _, tt := range tests {
		if got := Quote(tt.address); got != tt.want {
			t.Errorf("Quote(%q) = %q, want %q", tt.address, got, tt.want)
		}
	}
}
