package tcpserver

import (
	"strings"
	"time"

	"ucspi-go/internal/prog"
)

// words are what -W takes, one with each -W. Neither ucspi-tcp 0.88 nor a fork
// of it has that letter, and POSIX keeps it for the options of one vendor.
const words = "socket=FD ready=FD drain handover status limit=FILE json counters=FILE every=SECONDS"

// supervision is how a server works with what supervises it: docs/supervision.md
// and docs/counters.md. Nothing of it is on by itself.
type supervision struct {
	socket    int           // descriptor that listens already; unset for none
	readyFd   int           // descriptor that gets a newline when the server is ready; unset for none
	drain     bool          // the end waits for the programs
	handover  bool          // SIGUSR2 runs the program file anew
	status    bool          // SIGUSR1 prints the connections
	limitFile string        // read instead of -c, and again at SIGHUP; empty for none
	json      bool          // log lines are JSON objects
	counters  string        // file for the counters; empty for none
	every     time.Duration // between two writes of it
}

const unset = -1

func newSupervision() supervision {
	return supervision{socket: unset, readyFd: unset, every: 15 * time.Second}
}

// set understands a word and reports whether it is one.
func (w *supervision) set(word string) bool {
	name, value, valued := strings.Cut(word, "=")
	if valued == (value == "") {
		return false
	}
	switch name {
	case "drain":
		w.drain = true
	case "handover":
		w.handover = true
	case "status":
		w.status = true
	case "json":
		w.json = true
	case "socket", "ready", "every":
		return w.setNumber(name, value)
	case "limit":
		w.limitFile = value
	case "counters":
		w.counters = value
	default:
		return false
	}
	return valued == (name == "limit" || name == "counters")
}

func (w *supervision) setNumber(name, value string) bool {
	const most = 1 << 30 // descriptors, and seconds
	n, digits := prog.Number(value)
	if value == "" || digits != len(value) || n > most {
		return false
	}
	switch name {
	case "socket":
		w.socket = int(n)
	case "ready":
		w.readyFd = int(n)
	case "every":
		w.every = time.Duration(n) * time.Second
		return n > 0
	}
	return true
}

// illegalWord is the fault of a word of -W.
func illegalWord(word string) error {
	return &prog.Error{Code: 100, Severity: "usage", What: usage, Fault: "illegal option -- W " + word, Hint: "-W takes one of " + words}
}
