// Tcprulesdiff tells how the effect of two sets of rules differs.
// See tcprulesdiff(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/rulesdiff"
)

func main() { prog.Main("tcprulesdiff", rulesdiff.Run) }
