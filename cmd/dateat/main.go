// Date@ prints the date and time of a host, as its daytime service gives them.
// See date@(1).
package main

import (
	"ucspi-go/internal/ask"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("date@", ask.Date) }
