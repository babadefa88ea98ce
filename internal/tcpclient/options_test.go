package tcpclient

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	show := func(o options) string {
		var b strings.Builder
		for _, word := range []any{o.verbosity, o.noDelay, o.local.Addr(), o.local.Port(), o.times, o.remoteHost, o.remoteInfo, o.infoTimeout, o.host, o.port, o.program} {
			b.WriteString(fmt.Sprint(word) + " ")
		}
		if o.localHost != nil {
			b.WriteString("l=" + *o.localHost)
		}
		return strings.TrimRight(b.String(), " ")
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"h", "1", "p", "-v"}, "1 false invalid IP 0 [2 58] true true 26 h 1 [p -v]"},
		{[]string{"-vDHRlx", "-T3", "-t", "4x", "--", "", "65537", "p"}, "2 true invalid IP 0 [3 0] false false 4  1 [p] l=x"},
		{[]string{"-qQDdHhRr", "-l", "", "h", "", "p"}, "1 false invalid IP 0 [2 58] true true 26 h 0 [p] l="},
		{[]string{"-vq", "-p65537", "-i", "1.2.3.260junk", "h", "1", "p"}, "0 false 1.2.3.4 1 [2 58] true true 26 h 1 [p]"},
		{[]string{"-i1.2.3.4", "-p", "x", "-t", "4294967297", "h", "1", "p"}, "1 false 1.2.3.4 0 [2 58] true true 1 h 1 [p]"},
	} {
		o, err := parseOptions(&prog.Env{Args: tt.args})
		if got := show(o); err != nil || got != tt.want {
			t.Errorf("parseOptions(%q) = %s, %v; want %s", tt.args, got, err, tt.want)
		}
	}
}

func TestParseOptionsFails(t *testing.T) {
	t.Parallel()
	const line = "tcpclient: usage: " + usage + "\n"
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"", 100, line},
		{"h 1", 100, line},
		{"-q h 1", 100, ""},
		{"-qZ", 100, "tc: illegal option -- Z\n" + line},
		{"-qT", 100, "tc: option requires an argument -- T\n" + line},
		{"-q -i 1.2.3 h 1 p", 100, line}, // told before -q counts
		{"-ix h 1 p", 100, line},
		{"h 70x", 111, "tcpclient: fatal: unable to figure out port number for 70x\n"},
		{"-q h 70x p", 111, ""},
	} {
		var stderr strings.Builder
		env := &prog.Env{Name: "tcpclient", Argv0: "tc", Args: strings.Fields(tt.args), Stderr: &stderr}
		_, err := parseOptions(env)
		if code := prog.Report(env, err); code != tt.code || stderr.String() != tt.want {
			t.Errorf("parseOptions(%q): exit %d, %q; want %d, %q", tt.args, code, stderr.String(), tt.code, tt.want)
		}
	}
}

func TestParseTimes(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string][2]uint32{
		"1+2": {1, 2}, "1": {1, 0}, "": {0, 0}, "x1": {0, 0}, "+5": {0, 5}, "1x3": {1, 0}, "1++3": {1, 0}, "1+3x": {1, 3},
		"4294967297+4294967298": {1, 2}, "-1": {0, 0},
	} {
		if got := parseTimes(arg); got != want {
			t.Errorf("parseTimes(%q) = %v, want %v", arg, got, want)
		}
	}
}

func TestParseIP(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "01.2.3.256": "1.2.3.0", "1.2.3.4.5": "1.2.3.4", "1.2.3.4x": "1.2.3.4",
		"::1": "::1", "[fe80::1%eth0]": "fe80::1%eth0", "::ffff:1.2.3.4": "1.2.3.4",
		"": "", "0": "", "::1junk": "", "::x": "", "1.2.3": "", "1.2.3.": "", " 1.2.3.4": "", "1..3.4": "", "1.2.3:4": "",
	} {
		got, ok := parseIP(arg)
		if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
			t.Errorf("parseIP(%q) = %v, %v; want %q", arg, got, ok, want)
		}
	}
}
