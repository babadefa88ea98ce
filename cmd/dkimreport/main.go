// Dkimreport says in full how a message's signatures verify. See
// dkimreport(1).
package main

import (
	"ucspi-go/internal/dkimtools"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("dkimreport", dkimtools.RunReport) }
