package qmaildkim_test

import (
	"slices"
	"testing"

	"ucspi-go/qmaildkim"
	"ucspi-go/rules"
)

// CheckSigning finds bad exactly what ConfigFrom refuses when it signs.
func TestCheckSigning(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		environ rules.Environ
		bad     string
		ignored []string
	}{
		{nil, "", nil},
		{rules.Environ{"DKIMSIGNOPTIONS=-z 2 -c r -x 60"}, "", nil},
		{rules.Environ{"DKIMSIGNOPTIONS=-z 1 -b 2"}, "", []string{"-z", "-b"}},
		{rules.Environ{"DKIMSIGNOPTIONS=-z 2", "DKIMSIGNOPTIONSEXTRA=z 4"}, "", []string{"z", "4"}},
		{rules.Environ{"DKIMSIGNOPTIONS=-x abc"}, "-x abc", nil},
		{rules.Environ{"DKIMSIGNOPTIONS=-Z"}, "-Z", nil},
		{rules.Environ{"DKIMSIGNOPTIONS=-i 'a"}, "unclosed quote", nil},
		{rules.Environ{"DKIMEXPIRE=7d"}, "DKIMEXPIRE 7d", nil},
	} {
		ignored, bad := qmaildkim.CheckSigning(tt.environ)
		if bad != tt.bad || !slices.Equal(ignored, tt.ignored) {
			t.Errorf("%q: %q, ignored %q; want %q, %q", tt.environ, bad, ignored, tt.bad, tt.ignored)
		}
		_, err := qmaildkim.ConfigFrom(append(rules.Environ{"DKIMSIGN=control/domainkeys/%/default"}, tt.environ...))
		if (err != nil) != (tt.bad != "") {
			t.Errorf("%q: ConfigFrom says %v", tt.environ, err)
		}
	}
}

func TestUnknownLetters(t *testing.T) {
	t.Parallel()
	for verify, want := range map[string]string{
		"": "", "FGHIKLMNOQRTUVWjp": "", "ABCDEFGHIJKLMNOPQRSTUVWXYabcdefghijklmnopqrstuvwxy": "",
		"FZz1 ,": "Zz1 ,", "@`[{": "@`[{", "Fä": "ä", "\x01\x61": "\x01",
	} {
		if got := qmaildkim.UnknownLetters(verify); got != want {
			t.Errorf("UnknownLetters(%q) = %q, want %q", verify, got, want)
		}
	}
}
