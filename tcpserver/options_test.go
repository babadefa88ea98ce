package tcpserver

import (
	"math"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/prog"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	environ := []string{"UID=500x", "GID=600"}
	for _, tt := range []struct {
		args  string
		check func(o options) bool
	}{
		{"0 1 p", func(o options) bool {
			return o.Limit == 40 && o.Verbosity == complain && o.RemoteHost && o.RemoteInfo && !o.Paranoid &&
				o.InfoTimeout == 26*time.Second && o.backlog == 1024 && o.ClearOptions && !o.NoDelay && o.LocalHost == nil
		}},
		{"-vDRHl0 h 25 p -x", func(o options) bool {
			return o.Verbosity == verbose && o.NoDelay && !o.RemoteInfo && !o.RemoteHost && *o.LocalHost == "0" &&
				o.host == "h" && o.port == 25 && len(o.Program) == 2 && o.RulesFile == ""
		}},
		{"-R -r -H -h -p -P -D -d -O -o -v -Q 0 1 p", func(o options) bool {
			return o.RemoteInfo && o.RemoteHost && !o.Paranoid && !o.NoDelay && !o.ClearOptions && o.Verbosity == complain
		}},
		{"-c3x -b7 -t 9 -u1 -g2 -Xx f -B hi -1 0 1 p", func(o options) bool {
			return o.Limit == 3 && o.backlog == 7 && o.InfoTimeout == 9*time.Second && o.uid == 1 && o.gid == 2 &&
				o.AllowNoRules && o.RulesFile == "f" && o.Banner == "hi" && o.printPort
		}},
		{"-cx3 -b-1 0 1 p", func(o options) bool { return o.Limit == 0 && o.backlog == 0 }},
		{"-t99999999999999999999 0 1 p", func(o options) bool { return o.InfoTimeout > 0 }},
		{"-u7 -U 0 1 p", func(o options) bool { return o.uid == 500 && o.gid == 600 }},
		{"-U -u7 -g8 0 1 p", func(o options) bool { return o.uid == 7 && o.gid == 8 }},
		{"-- -h 1 p", func(o options) bool { return o.host == "-h" }},
	} {
		o, err := parseOptions(&prog.Env{Args: strings.Fields(tt.args), Environ: environ})
		if err != nil || !tt.check(o) {
			t.Errorf("%s: %+v, %v", tt.args, o, err)
		}
	}
	if o, _ := parseOptions(&prog.Env{Args: []string{"-t" + "18446744073709551615", "0", "1", "p"}}); o.InfoTimeout < math.MaxInt64/2 {
		t.Errorf("the longest timeout is %v", o.InfoTimeout)
	}
}

// The options alone, without what must follow them in a command line.
func TestParseOptionsAlone(t *testing.T) {
	t.Parallel()
	c, err := ParseOptions(strings.Fields("-vRHp -x rules.cdb 0 25 -r"))
	if err != nil || c.RemoteInfo || c.RemoteHost || !c.Paranoid || c.RulesFile != "rules.cdb" {
		t.Errorf("ParseOptions = %+v, %v", c, err)
	}
	if c, err := ParseOptions(nil); err != nil || !c.RemoteInfo || !c.RemoteHost || c.Paranoid {
		t.Errorf("ParseOptions of none = %+v, %v", c, err)
	}
	if _, err := ParseOptions([]string{"-Z"}); err == nil {
		t.Error("-Z is no error")
	}
}
