package tcpserver

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/prog"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		words string
		check func(w supervision) bool
	}{
		{"", func(w supervision) bool { return w == newSupervision() && w.socket == unset && w.readyFd == unset }},
		{"socket=0 ready=3", func(w supervision) bool { return w.socket == 0 && w.readyFd == 3 }},
		{"drain handover status json", func(w supervision) bool { return w.drain && w.handover && w.status && w.json }},
		{"limit=a=b counters=c every=60", func(w supervision) bool {
			return w.limitFile == "a=b" && w.counters == "c" && w.every == time.Minute
		}},
	} {
		var args []string
		for word := range strings.FieldsSeq(tt.words) {
			args = append(args, "-W", word)
		}
		o, err := parseOptions(&prog.Env{Args: append(args, "0", "1", "p")})
		if err != nil || !tt.check(o.supervision) {
			t.Errorf("%q: %+v, %v", tt.words, o.supervision, err)
		}
	}
	for _, word := range []string{"", "x", "drain=", "drain=1", "json=yes", "handover=x", "status=x", "socket", "socket=", "socket=-1", "socket=1x",
		"socket=99999999999999999999", "ready", "limit", "limit=", "counters", "counters=", "every=0", "every=", "every", "=", "=x", "Drain"} {
		_, err := parseOptions(&prog.Env{Args: []string{"-q", "-W", word, "0", "1", "p"}})
		var e *prog.Error
		if !errors.As(err, &e) || e.Code != 100 || e.Fault != "illegal option -- W "+word || e.What != usage {
			t.Errorf("%q: %+v", word, err)
		}
	}
}
