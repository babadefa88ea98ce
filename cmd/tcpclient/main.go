// Tcpclient makes a TCP connection and runs a program with it as descriptors
// 6 and 7. See tcpclient(1).
package main

import (
	"ucspi-go/internal/prog"
	"ucspi-go/internal/tcpclient"
)

func main() { prog.Main("tcpclient", tcpclient.Run) }
