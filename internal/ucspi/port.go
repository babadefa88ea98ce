package ucspi

import (
	"strings"

	"ucspi-go/internal/prog"
)

// Port returns the number of a port: decimal digits, cut to 16 bits, none
// being 0, or a name or alias of a TCP service in /etc/services.
func Port(s string) (port uint16, ok bool) { return parsePort(s, services) }

// services returns the text of services(5), nothing if it cannot be read.
func services() string {
	b, _ := prog.ReadFile("/etc/services")
	return string(b)
}

// parsePort returns the number of a port: decimal digits, cut to 16 bits, or
// a name or alias of a TCP service in services, the text of services(5).
func parsePort(s string, services func() string) (port uint16, ok bool) {
	if n, digits := prog.Number(s); digits == len(s) {
		return uint16(n), true
	}
	for line := range strings.Lines(services()) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		number, proto, _ := strings.Cut(f[1], "/")
		if proto != "tcp" {
			continue
		}
		for i, name := range f {
			if i != 1 && name == s {
				n, digits := prog.Number(number)
				return uint16(n), digits > 0
			}
		}
	}
	return 0, false
}
