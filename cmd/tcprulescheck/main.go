// Tcprulescheck shows what a rules database says of a client.
// See tcprulescheck(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/tcprules"
)

func main() { prog.Main("tcprulescheck", tcprules.RunCheck) }
