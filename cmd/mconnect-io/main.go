// Mconnect-io connects standard input and output with the connection on descriptors 6 and 7.
// See mconnect-io(1).
package main

import (
	"ucspi-go/internal/mconnect"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("mconnect-io", mconnect.IO) }
