package qmailremote

import (
	"errors"
	"path/filepath"
	"strings"

	"ucspi-go/internal/outbound"
	"ucspi-go/internal/qmail"
)

// config is what the control files say.
type config struct {
	outbound.Controls
	routes     map[string]string // control/smtproutes, see route
	routesByMX bool              // control/smtproutesmx is 1
}

// readConfig fails with errControls when a file cannot be read, or when this
// host has no name.
func readConfig(home string) (config, error) {
	control := qmail.Control(filepath.Join(home, "control"))
	controls, err1 := outbound.ReadControls(control)
	byMX, _, err2 := control.Line("smtproutesmx")
	lines, _, err3 := control.Lines("smtproutes")
	if errors.Join(err1, err2, err3) != nil {
		return config{}, errControls
	}
	c := config{controls, make(map[string]string, len(lines)), outbound.IsOne(byMX)}
	for _, line := range lines {
		if domain, relay, ok := strings.Cut(line, ":"); ok {
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
