// Domainkey makes DKIM keys and prints the DNS records that publish them.
// See domainkey(1).
package main

import (
	"ucspi-go/internal/domainkey"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("domainkey", domainkey.Run) }
