// Mailpath explains what becomes of a connection and of a message. See
// mailpath(1).
package main

import (
	"ucspi-go/internal/mailpath"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("mailpath", mailpath.Run) }
