// Dkim signs or verifies a message by hand. See dkim(1).
package main

import (
	"ucspi-go/internal/dkimtools"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("dkim", dkimtools.Run) }
