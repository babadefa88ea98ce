// Mconnect connects standard input and output with a server, an SMTP server by default.
// See mconnect(1).
package main

import (
	"ucspi-go/internal/mconnect"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("mconnect", mconnect.Run) }
