// Rblsmtpd runs an SMTP server unless the client is on a list, such as an
// RBL, in which case it refuses the mail itself. See rblsmtpd(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/rblsmtpd"
)

func main() { prog.Main("rblsmtpd", rblsmtpd.Run) }
