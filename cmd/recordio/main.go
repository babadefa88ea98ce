// Recordio records what a program reads and writes.
// See recordio(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/recordio"
)

func main() { prog.Main("recordio", recordio.Run) }
