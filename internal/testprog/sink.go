package testprog

import (
	"io"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"ucspi-go/internal/smtpsink"
)

var sinks sync.Map // *testscript.TestScript to its *smtpsink.Sink

// sinkCommand is the script command "sink [FILE]": it starts an SMTP server
// for the rest of the script, which answers as the file says, and sets
// $SINKPORT to its port on 127.0.0.1. Smtpsink.ParseScript says what the file
// holds.
func sinkCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: sink [FILE]")
	}
	text := ""
	if len(args) > 0 {
		text = ts.ReadFile(args[0])
	}
	script, err := smtpsink.ParseScript(text)
	ts.Check(err)
	sink, err := smtpsink.Start("127.0.0.1:0", script)
	ts.Check(err)
	ts.Defer(sink.Close)
	sinks.Store(ts, sink)
	ts.Setenv("SINKPORT", strconv.Itoa(int(sink.Addr.Port())))
}

// sinkLogCommand is "sinklog [N]": it waits until N sessions (1) with the sink
// started last have ended and prints what it has logged.
func sinkLogCommand(ts *testscript.TestScript, neg bool, args []string) {
	sink, ok := sinks.Load(ts)
	if neg || len(args) > 1 || !ok {
		ts.Fatalf("usage: sinklog [N], after sink")
	}
	n := 1
	if len(args) > 0 {
		var err error
		n, err = strconv.Atoi(args[0])
		ts.Check(err)
	}
	log, err := sink.(*smtpsink.Sink).Log(n)
	io.WriteString(ts.Stdout(), log)
	ts.Check(err)
}
