// Tcprules compiles rules for tcpserver into a cdb file.
// See tcprules(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/tcprules"
)

func main() { prog.Main("tcprules", tcprules.Run) }
