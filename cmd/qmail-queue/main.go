// Qmail-queue puts a message, read from descriptor 0, with its envelope, read
// from descriptor 1, into the mail queue. See qmail-queue(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmailqueue"
)

func main() { prog.Main("qmail-queue", qmailqueue.Run) }
