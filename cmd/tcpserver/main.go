// Tcpserver accepts TCP connections and runs a program for each.
// See tcpserver(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/tcpserver"
)

func main() { prog.Main("tcpserver", tcpserver.Run) }
