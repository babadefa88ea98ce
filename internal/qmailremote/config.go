package qmailremote

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/internal/smtp"
)

// config is what the control files say.
type config struct {
	name        string            // of this host: control/helohost, else control/me
	routes      map[string]string // control/smtproutes, see route
	routesByMX  bool              // control/smtproutesmx
	extended    bool              // control/smtpehlo
	timeConnect time.Duration     // control/timeoutconnect
	timeRemote  time.Duration     // control/timeoutremote
}

// readConfig fails with errControls when a file cannot be read, or when this
// host has no name.
func readConfig(home string) (config, error) {
	control := qmail.Control(filepath.Join(home, "control"))
	c := config{timeConnect: time.Minute, timeRemote: 1200 * time.Second}
	var failed error
	line := func(name string) (string, bool) {
		s, found, err := control.Line(name)
		failed = errors.Join(failed, err)
		return s, found
	}
	seconds := func(name string, value *time.Duration) {
		s, _ := line(name)
		if n, digits := prog.Number(s); digits > 0 {
			*value = time.Duration(min(max(n, 1), math.MaxInt32/1000)) * time.Second
		}
	}
	isOne := func(name string) bool {
		s, _ := line(name)
		n, _ := prog.Number(s)
		return n == 1
	}
	var found bool
	if c.name, found = line("helohost"); !found {
		c.name, found = line("me")
	}
	// An editor's CR must not leave; there is no other use for one.
	c.name = strings.TrimRight(c.name, "\r")
	c.routesByMX = isOne("smtproutesmx")
	c.extended = isOne("smtpehlo")
	seconds("timeoutconnect", &c.timeConnect)
	seconds("timeoutremote", &c.timeRemote)
	routes, _, err := control.Lines("smtproutes")
	if failed = errors.Join(failed, err); failed != nil || !found || !smtp.Sendable(c.name) {
		return c, errControls
	}
	c.routes = make(map[string]string, len(routes))
	for _, r := range routes {
		if domain, relay, ok := strings.Cut(r, ":"); ok {
			c.routes[lower(domain)] = relay
		}
	}
	return c, nil
}

// lower maps A-Z to a-z and leaves all other bytes alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
