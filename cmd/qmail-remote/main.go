// Qmail-remote sends a message to recipients at a remote host by SMTP.
// See qmail-remote(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmailremote"
)

func main() { prog.Main("qmail-remote", qmailremote.Run) }
