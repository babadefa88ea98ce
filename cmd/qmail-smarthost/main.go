// Qmail-smarthost is a queue program that hands each message to another mail
// server at once. See qmail-smarthost(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmailsmarthost"
)

func main() { prog.Main("qmail-smarthost", qmailsmarthost.Run) }
