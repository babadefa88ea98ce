// Qmail-dkim signs or verifies a message by DKIM and hands it to qmail-queue.
// See qmail-dkim(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim"
)

func main() { prog.Main("qmail-dkim", qmaildkim.Run) }
