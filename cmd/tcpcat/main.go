// Tcpcat prints what a host sends over a TCP connection.
// See tcpcat(1).
package main

import (
	"ucspi-go/internal/ask"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("tcpcat", ask.Tcpcat) }
