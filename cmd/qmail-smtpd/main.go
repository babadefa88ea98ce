// Qmail-smtpd receives mail by SMTP on descriptors 0 and 1 and hands each
// message to the queue program. See qmail-smtpd(8).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmailsmtpd"
)

func main() { prog.Main("qmail-smtpd", qmailsmtpd.Run) }
