package qmaildkim

import "testing"

func TestRecipientRule(t *testing.T) {
	t.Parallel()
	list := []string{"joe@aol.jp", "@aol.com", "@.port25.com", "local"}
	for _, test := range []struct {
		all   bool
		rcpts []string
		match string
		ok    bool
	}{
		{false, nil, "", false},
		{false, []string{"joe@aol.jp"}, "joe@aol.jp", true},
		{false, []string{"JOE@AOL.JP"}, "JOE@AOL.JP", true},
		{false, []string{"x@example.org", "sue@AOL.com"}, "sue@AOL.com", true},
		{false, []string{"sue@aol.jp", "aol.com", "x@sub.aol.com"}, "", false},
		{false, []string{"check@verifier.port25.com"}, "check@verifier.port25.com", true},
		{false, []string{"check@port25.com", "check@xport25.com"}, "", false},
		{false, []string{"\"x@aol.com\"@example.org"}, "", false},
		{false, []string{"Local"}, "Local", true},
		{true, nil, "", false},
		{true, []string{"a@aol.com"}, "a@aol.com", true},
		{true, []string{"a@aol.com", "b@aol.com"}, "", true},
		{true, []string{"a@aol.com", "b@example.org"}, "", false},
	} {
		rule := recipientRule{list: list, all: test.all}
		if match, ok := rule.match(test.rcpts); match != test.match || ok != test.ok {
			t.Errorf("all %v: match(%q) = %q, %v; want %q, %v", test.all, test.rcpts, match, ok, test.match, test.ok)
		}
	}
}
