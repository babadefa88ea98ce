// Who@ prints the users of a host, as its systat service lists them.
// See who@(1).
package main

import (
	"ucspi-go/internal/ask"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("who@", ask.Who) }
