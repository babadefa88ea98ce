// Delcr copies its input to its output without the CR before each LF.
// See delcr(1).
package main

import (
	"ucspi-go/internal/crtools"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("delcr", crtools.Delcr) }
