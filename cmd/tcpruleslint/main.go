// Tcpruleslint finds mistakes in the rules of tcpserver.
// See tcpruleslint(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/ruleslint"
)

func main() { prog.Main("tcpruleslint", ruleslint.Run) }
