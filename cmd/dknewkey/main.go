// Dknewkey makes an RSA key in a file and prints its DNS record.
// See dknewkey(1).
package main

import (
	"ucspi-go/internal/domainkey"
	"ucspi-go/internal/prog"
)

func main() { prog.Main("dknewkey", domainkey.RunNewKey) }
