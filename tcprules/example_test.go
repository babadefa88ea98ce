package tcprules_test

import (
	"fmt"
	"log"
	"os"
	"strings"

	"ucspi-go/rules"
	"ucspi-go/tcprules"
)

// A database is built, asked about a client, and told of in tcprulescheck's
// words. A text with a mistake leaves it as it is.
func ExampleBuild() {
	dir, err := os.MkdirTemp("", "tcprules")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	cdb, tmp := dir+"/tcp.smtp.cdb", dir+"/tcp.smtp.tmp"

	const text = "192.0.2.:allow,RELAYCLIENT=\"\"\n:deny\n"
	if err := tcprules.Build(cdb, tmp, strings.NewReader(text)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(tcprules.Build(cdb, tmp, strings.NewReader("192.0.2.:allow,RELAYCLIENT\n")))

	db, err := rules.Open(cdb)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, ip := range []string{"192.0.2.7", "203.0.113.1"} {
		d, err := db.Lookup(rules.Client{IP: ip})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(tcprules.Verdict(d))
	}
	// Output:
	// rules: line 1: unable to parse: 192.0.2.:allow,RELAYCLIENT
	// rule 192.0.2.:
	// set environment variable RELAYCLIENT=
	// allow connection
	// rule :
	// deny connection
}
