// Qmail-maildir delivers a message, read from descriptor 0, with its envelope,
// read from descriptor 1, to the Maildir that $MAILDIR names.
// See qmail-maildir(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmailmaildir"
)

func main() { prog.Main("qmail-maildir", qmailmaildir.Run) }
