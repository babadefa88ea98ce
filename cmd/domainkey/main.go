// Domainkey makes DKIM keys, asks name servers for them, and changes a domain
// from one to the next.
// See domainkey(1).
package main

import (
	"ucspi-go/internal/domainkey"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("domainkey", domainkey.Run) }
