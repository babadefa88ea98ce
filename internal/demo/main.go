// Demo runs the main job on loopback, with real processes in a private qmail
// home: from the two rules of a mail host's notes to a signed message in the
// queue. With -s it keeps serving.
package main

import "ucspi-go/internal/prog"

func main() { prog.Main("demo", run) }
