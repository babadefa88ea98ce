package getopt_test

import (
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/getopt"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name, args, want, rest string
	}{
		{"cluster", "-vDRHl0 host", "v,D,R,H,l=0", "host"},
		{"argument in next word", "-v -x rules.cdb host", "v,x=rules.cdb", "host"},
		{"attached argument", "-xrules.cdb", "x=rules.cdb", ""},
		{"double dash ends", "-v -- -R", "v", "-R"},
		{"long option is a double dash", "-v --help -R", "v", "-R"},
		{"lone dash is an operand", "- -v", "", "- -v"},
		{"stops at operand", "a -v", "", "a -v"},
		{"illegal", "-vZ -R", "v,?=illegal option -- Z,R", ""},
		{"colon is illegal", "-:", "?=illegal option -- :", ""},
		{"no argument", "-v -x", "v,?=option requires an argument -- x", ""},
		{"double dash as argument", "-x -- a", "x=--", "a"},
	} {
		args := strings.Fields(tt.args)
		var got []string
		for opt, arg := range getopt.Parse(&args, "vDRHl:x:") {
			s := string(rune(opt))
			if arg != "" {
				s += "=" + arg
			}
			got = append(got, s)
		}
		if s := strings.Join(got, ","); s != tt.want || !slices.Equal(args, strings.Fields(tt.rest)) {
			t.Errorf("%s: Parse(%q) = %q, rest %q; want %q, rest %q", tt.name, tt.args, s, args, tt.want, tt.rest)
		}
	}
}

func TestParseEmptyArgument(t *testing.T) {
	args := []string{"-l", "", "host"}
	for opt, arg := range getopt.Parse(&args, "l:") {
		if opt != 'l' || arg != "" {
			t.Errorf("got %c %q, want an empty argument of -l", opt, arg)
		}
	}
	if !slices.Equal(args, []string{"host"}) {
		t.Errorf("rest %q, want the host", args)
	}
}
