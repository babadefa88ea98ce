// Addcr copies its input to its output with a CR before every LF.
// See addcr(1).
package main

import (
	"ucspi-go/internal/crtools"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("addcr", crtools.Addcr) }
