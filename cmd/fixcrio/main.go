// Fixcrio adds the missing CRs to what a program reads and writes.
// See fixcrio(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/recordio"
)

func main() { prog.Main("fixcrio", recordio.RunFixcrio) }
