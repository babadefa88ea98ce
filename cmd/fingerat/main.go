// Finger@ prints what a host's finger service says of a user.
// See finger@(1).
package main

import (
	"ucspi-go/internal/ask"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("finger@", ask.Finger) }
