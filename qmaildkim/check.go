package qmaildkim

import (
	"errors"
	"strings"

	"ucspi-go/rules"
)

// CheckSigning reads the options for signing in environ as if a message were
// to be signed, whatever the mode. Bad is the first that cannot be used, as
// configured, for which every message is refused; empty for none. Ignored are
// those without effect, such as "-z" for the SHA-1 of "-z 1" and "-z 3", and
// words that are no options.
func CheckSigning(environ rules.Environ) (ignored []string, bad string) {
	s, err := signingFrom(environ, defaultKey)
	var refusal *Refusal
	var option badOption
	if errors.As(err, &refusal) && errors.As(refusal.Cause, &option) {
		return nil, string(option)
	}
	for _, word := range s.extra.ignored {
		s.options.ignore(word)
	}
	return s.options.ignored, ""
}

// UnknownLetters returns what of DKIMVERIFY's value is no letter of an outcome
// in either case. B, D and M are letters, though they refuse nothing.
func UnknownLetters(verify string) string {
	return strings.Map(func(c rune) rune {
		upper := c &^ 0x20
		_, known := outcomes[Letter(upper)]
		if c < 0x80 && (known || upper == 'B' || upper == 'M') {
			return -1
		}
		return c
	}, verify)
}
