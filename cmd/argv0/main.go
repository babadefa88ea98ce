// Argv0 runs a program under another name.
// See argv0(1).
package main

import (
	"ucspi-go/internal/argv0"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("argv0", argv0.Run) }
