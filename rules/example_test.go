package rules_test

import (
	"errors"
	"fmt"
	"log"
	"strings"

	"ucspi-go/rules"
)

const tcpSMTP = `# the office, a partner, and everybody else
192.0.2.25:allow,RELAYCLIENT="",DKIMKEY="control/domainkeys/%/default"
192.0.2.:allow,RELAYCLIENT=""
198.51.100.7:deny
=.partner.example:allow,DATABYTES="50000000"
:allow,DKIMVERIFY="FGHp"
`

// A test of the own tcp.smtp: from its text to the decision about a client and
// the environment of the program, without a file.
func Example() {
	set, err := rules.Parse(strings.NewReader(tcpSMTP))
	if err != nil {
		log.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		log.Fatal(err)
	}
	inherited := rules.Environ{"PATH=/bin", "DATABYTES=1000000"}
	partner := "mail.partner.example"
	for _, client := range []rules.Client{
		{IP: "192.0.2.25"}, {IP: "192.0.2.99"}, {IP: "198.51.100.7"}, {IP: "203.0.113.1", Host: &partner}, {IP: "203.0.113.1"},
	} {
		d, err := db.Lookup(client)
		switch {
		case err != nil:
			log.Fatal(err)
		case d.Deny:
			fmt.Printf("%s: denied by rule %q\n", client.IP, d.Key)
		default:
			fmt.Printf("%s: rule %q, %q\n", client.IP, d.Key, d.Apply(inherited))
		}
	}
	// Output:
	// 192.0.2.25: rule "192.0.2.25", ["PATH=/bin" "DATABYTES=1000000" "RELAYCLIENT=" "DKIMKEY=control/domainkeys/%/default"]
	// 192.0.2.99: rule "192.0.2.", ["PATH=/bin" "DATABYTES=1000000" "RELAYCLIENT="]
	// 198.51.100.7: denied by rule "198.51.100.7"
	// 203.0.113.1: rule "=.partner.example", ["PATH=/bin" "DATABYTES=50000000"]
	// 203.0.113.1: rule "", ["PATH=/bin" "DATABYTES=1000000" "DKIMVERIFY=FGHp"]
}

// The first bad line ends it, as tcprules: one must not half-apply rules.
func ExampleParse() {
	_, err := rules.Parse(strings.NewReader("10.:allow\n192.0.2.7:allwo\n"))
	var bad *rules.SyntaxError
	if errors.As(err, &bad) {
		fmt.Println(bad.Line, bad.Text)
	}
	// Output: 2 192.0.2.7:allwo
}

// Which keys are tried for a client, in order, when its name and its remote
// info (ident) are known.
func ExampleDB_Lookup() {
	set, err := rules.Parse(strings.NewReader("=:deny\n"))
	if err != nil {
		log.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		log.Fatal(err)
	}
	host, info := "mail.example.org", "joe"
	d, err := db.Lookup(rules.Client{IP: "10.1.2.3", Host: &host, Info: &info})
	fmt.Printf("%q %v %v\n", d.Tried, d.Deny, err)
	// Without a name there is no key "=", which is for those who have one.
	d, err = db.Lookup(rules.Client{IP: "10.1.2.3"})
	fmt.Printf("%q %v %v\n", d.Tried, d.Deny, err)
	// Output:
	// ["joe@10.1.2.3" "joe@=mail.example.org" "10.1.2.3" "=mail.example.org" "10.1.2." "10.1." "10." "=.example.org" "=.org" "="] true <nil>
	// ["10.1.2.3" "10.1.2." "10.1." "10." ""] false <nil>
}

// The line of the text that decides about a client.
func ExampleSet_Sources() {
	set, err := rules.Parse(strings.NewReader(tcpSMTP))
	if err != nil {
		log.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		log.Fatal(err)
	}
	d, err := db.Lookup(rules.Client{IP: "192.0.2.99"})
	if err != nil {
		log.Fatal(err)
	}
	for _, rule := range set.Sources(d.Key) {
		fmt.Printf("line %d: %q\n", rule.Line, rule.Address)
	}
	// Output: line 3: "192.0.2."
}

// Set but empty is not the same as not set.
func ExampleEnviron_Lookup() {
	e := rules.Environ{"RELAYCLIENT="}.With(rules.Var{Name: "DKIMKEY", Value: "control/domainkeys/%/default"})
	for _, name := range []string{"RELAYCLIENT", "DKIMKEY", "DKIMVERIFY"} {
		value, set := e.Lookup(name)
		fmt.Printf("%s: %q, %v\n", name, value, set)
	}
	// Output:
	// RELAYCLIENT: "", true
	// DKIMKEY: "control/domainkeys/%/default", true
	// DKIMVERIFY: "", false
}
