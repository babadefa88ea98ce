package qmaildkim

import (
	"strings"
	"testing"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, want string
		ok         bool
	}{
		{"joe@example.com", "joe@example.com", true},
		{"@example.com", "@example.com", true},
		{"a@b@Sub.Example.COM.", "a@b@sub.example.com", true},
		{"j;o=e \r\n\xff@example.com", "j=3Bo=3De=20=0D=0A=FF@example.com", true},
		{strings.Repeat("x", maxLocal) + "@example.com", strings.Repeat("x", maxLocal) + "@example.com", true},
		{strings.Repeat("x", maxLocal+1) + "@example.com", "", false},
		{"joe@example.org", "", false},
		{"joe@badexample.com", "", false},
		{"joe@com", "", false},
		{"joe", "", false},
		{"", "", false},
	} {
		if got, ok := identity(test.text, "example.com"); got != test.want || ok != test.ok {
			t.Errorf("identity(%.40q) = %.40q, %v; want %.40q, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}
