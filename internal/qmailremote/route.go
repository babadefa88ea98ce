package qmailremote

import "ucspi-go/internal/outbound"

// A route is where mail for a host goes.
type route struct {
	host  string // a name or an address
	port  uint16
	relay bool // control/smtproutes says so
}

// route returns the way to a host: the relay of the first line in
// control/smtproutes for it, for a ".suffix" of it from the longest on, or
// for the empty domain; the host itself when there is none or the relay is
// empty. Of several lines for one domain the last counts. As netqmail's and
// notqmail's qmail-remote; a relay may also be [IPv6]:PORT. The error is
// errControls.
func (c *config) route(host string) (route, error) {
	direct := route{host: host, port: outbound.SMTPPort}
	for i := 0; i <= len(host); i++ {
		if i > 0 && i < len(host) && host[i] != '.' {
			continue
		}
		if relay, ok := c.routes[lower(host[i:])]; ok {
			if relay == "" {
				return direct, nil
			}
			name, port, err := outbound.SplitRelay(relay)
			if err != nil {
				return route{}, errControls
			}
			return route{name, port, true}, nil
		}
	}
	return direct, nil
}
