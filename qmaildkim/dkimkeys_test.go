package qmaildkim

import (
	"errors"
	"strings"
	"testing"
)

func TestFindKeysLine(t *testing.T) {
	t.Parallel()
	lines := []string{
		"Example.COM:control/a:DKIMSIGNOPTIONS=-c s -x 60,DKIMIDENTITY=@example.com,",
		"*.example.com : control/%/b",
		"a*b*c:control/c",
		"off.example:",
		"broken",
		"*.broken.example:x:NAME",
		"last.broken.example:never:reached",
	}
	for _, test := range []struct {
		domain, path, settings string
		found, bad             bool
	}{
		{"example.com", "control/a", "DKIMSIGNOPTIONS=-c s -x 60 DKIMIDENTITY=@example.com", true, false},
		{"x.example.com", "control/%/b", "", true, false},
		{"abc", "control/c", "", true, false},
		{"a.bb.b.c", "control/c", "", true, false},
		{"ac", "", "", false, false},
		{"off.example", "", "", true, false},
		{"broken", "", "", true, true},
		{"last.broken.example", "x", "", true, true},
		{"example.org", "", "", false, false},
	} {
		line, found, err := findKeysLine(lines, test.domain)
		var settings []string
		for _, v := range line.settings {
			settings = append(settings, v.String())
		}
		if found != test.found || errors.Is(err, errKeysLine) != test.bad || line.path != test.path || strings.Join(settings, " ") != test.settings {
			t.Errorf("%s: %+v, %v, %v; want %+v", test.domain, line, found, err, test)
		}
	}
}

func TestWildcard(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"*", "", true}, {"*", "x", true}, {"**", "x", true},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"a*b*a", "aba", true}, {"a*b*a", "aa", false},
		{"*ab", "abab", true}, {"*aab", "aaab", true}, {"x*", "xy", true}, {"x*", "yx", false},
	} {
		if got := wildcard(test.pattern, test.s); got != test.want {
			t.Errorf("wildcard(%q, %q) = %v", test.pattern, test.s, got)
		}
	}
}
