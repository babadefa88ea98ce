package qmaildkim

import (
	"errors"
	"testing"
)

func TestLetterOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text   string
		letter Letter
		reason string
	}{
		{"dkim: key syntax error: missing public key data", 'L', "key syntax error: missing public key data"},
		{"dkim: key syntax error: not an RSA public key", 'R', "key syntax error"},
		{"dkim: malformed time: strconv.ParseInt: parsing \"a)b\": invalid syntax", 'H', "malformed time"},
		{"dkim: body hash did not verify, a later version says", 'D', "unknown verification error"},
		{"unexpected EOF", 'D', "unknown verification error"},
	} {
		letter, reason := letterOf(errors.New(test.text))
		if letter != test.letter || reason != test.reason {
			t.Errorf("letterOf(%q) = %v, %q, want %v, %q", test.text, letter, reason, test.letter, test.reason)
		}
	}
	if letter, reason := letterOf(nil); letter != letterGood || reason != "" {
		t.Errorf("letterOf(nil) = %v, %q", letter, reason)
	}
}

func TestOutcomesAreComplete(t *testing.T) {
	t.Parallel()
	results := map[string]bool{"pass": true, "fail": true, "none": true, "policy": true, "neutral": true, "temperror": true, "permerror": true}
	for letter, o := range outcomes {
		if !results[o.result] || o.status == "" || o.text == "" && letter != letterGood {
			t.Errorf("outcome of %v = %+v", letter, o)
		}
	}
	for _, e := range libraryErrors {
		if _, ok := outcomes[e.letter]; !ok {
			t.Errorf("%v has no outcome", e.letter)
		}
	}
}
