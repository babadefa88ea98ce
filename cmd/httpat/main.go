// Http@ prints a page of a host's HTTP server.
// See http@(1).
package main

import (
	"ucspi-go/internal/ask"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("http@", ask.HTTP) }
