package qmaildkim_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
	"ucspi-go/rules"
)

// From the text of tcp.smtp to a signature, and to the verdict of another host
// on it: in one process, without sockets and DNS.
func Example() {
	home, err := os.MkdirTemp("", "qmail")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)

	// A key for the test, in place of the site's own, and what the DNS has.
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	file, err := keys.Encode(private)
	if err != nil {
		log.Fatal(err)
	}
	folder := filepath.Join(home, "control/domainkeys/example.com")
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(folder+"/default", file, 0o600)); err != nil {
		log.Fatal(err)
	}
	record, err := keys.Record(private.Public(), false)
	if err != nil {
		log.Fatal(err)
	}
	zone := map[string][]string{"default._domainkey.example.com": {record}}

	set, err := rules.Parse(strings.NewReader(`192.0.2.:allow,RELAYCLIENT="",DKIMKEY="control/domainkeys/%/default"
:allow,DKIMVERIFY="FGHIKLMNOQRTUVWjp"
`))
	if err != nil {
		log.Fatal(err)
	}
	db, err := set.DB()
	if err != nil {
		log.Fatal(err)
	}

	// pass is tcpserver and qmail-dkim for one message of a client.
	pass := func(ip, message string) (string, qmaildkim.Report) {
		decision, err := db.Lookup(rules.Client{IP: ip})
		if err != nil {
			log.Fatal(err)
		}
		config, err := qmaildkim.ConfigFrom(decision.Apply(rules.Environ{"QMAILHOME=" + home}))
		if err != nil {
			log.Fatal(err)
		}
		f := &qmaildkim.Filter{
			Config:    config,
			LookupTXT: func(_ context.Context, name string) ([]string, error) { return zone[name], nil },
		}
		var out bytes.Buffer
		report, err := f.Process(context.Background(), &out, strings.NewReader(message))
		if err != nil {
			fmt.Println("refused:", err)
		}
		return out.String(), report
	}

	const message = "From: Joe <joe@example.com>\nTo: sue@example.org\nSubject: dinner\n\nHi.\n"
	signed, report := pass("192.0.2.7", message)
	for _, s := range report.Signed {
		fmt.Printf("signed d=%s s=%s a=%s\n", s.Domain, s.Selector, s.Algorithm)
	}
	fmt.Println("unchanged below it:", strings.HasSuffix(signed, "\n"+message))

	_, report = pass("203.0.113.9", signed)
	fmt.Println("verified:", report.Verdict.Letter, report.Verdict.Result(), report.Action)

	_, report = pass("203.0.113.9", strings.Replace(signed, "Hi.", "Hey.", 1))
	fmt.Println("tampered with:", report.Verdict.Letter, report.Verdict.Result(), report.Action)
	// Output:
	// signed d=example.com s=default a=ed25519-sha256
	// unchanged below it: true
	// verified: A pass accept
	// refused: qmaildkim: refused: letter
	// tampered with: U fail reject
}

// Who wants the outcome and not the message passed on.
func ExampleFilter_Examine() {
	config, err := qmaildkim.ConfigFrom(rules.Environ{"RELAYCLIENT=", "QMAILHOME=/nowhere", "DKIMKEY=control/domainkeys/%/default"})
	if err != nil {
		log.Fatal(err)
	}
	f := &qmaildkim.Filter{Config: config}
	e, err := f.Examine(context.Background(), strings.NewReader("From: joe@example.com\n\nHi.\n"))
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	fmt.Println(e.Author())
	fmt.Printf("unsigned: %s, tried %q\n", e.Report.Reason, e.Report.Tried)
	// Output:
	// joe@example.com
	// unsigned: no-key, tried ["control/domainkeys/example.com/default" "control/domainkeys/default"]
}

// Options that cannot be used refuse every message that is to be signed.
func ExampleConfigFrom() {
	_, err := qmaildkim.ConfigFrom(rules.Environ{"RELAYCLIENT=", "DKIMSIGNOPTIONS=-c x"})
	var refusal *qmaildkim.Refusal
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Reason, refusal.Cause)
	}
	// Output: bad-options -c-x
}

// Recipients decide as well, where DKIMRCPT is set.
func ExampleReport_Line() {
	config, err := qmaildkim.ConfigFrom(rules.Environ{"RELAYCLIENT=", "QMAILHOME=/nowhere", "DKIMRCPT=@example.net"})
	if err != nil {
		log.Fatal(err)
	}
	f := &qmaildkim.Filter{
		Config:     config,
		Recipients: func() ([]string, error) { return []string{"sue@example.org"}, nil },
	}
	report, err := f.Process(context.Background(), io.Discard, strings.NewReader("From: joe@example.com\n\nHi.\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(report.Line(4711))
	// Output: qmail-dkim: unsigned pid=4711 from=example.com reason=rcpt
}

// The domain that signs.
func ExampleAuthorDomain() {
	for _, from := range []string{`"Joe, the" <joe@Example.COM>`, "a@example.com, b@example.org", "joe"} {
		domain, reason := qmaildkim.AuthorDomain([]string{from})
		fmt.Printf("%q %q\n", domain, reason)
	}
	// Output:
	// "example.com" ""
	// "" "several-authors"
	// "" "bad-from"
}

// What verifiers would make of a record.
func ExamplePublished() {
	public := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public()
	record, err := keys.Record(public, false)
	if err != nil {
		log.Fatal(err)
	}
	for _, texts := range [][]string{{record}, nil, {"v=DKIM1; p="}, {record[:40], record[40:]}} {
		p := qmaildkim.Published(public, texts, nil)
		fmt.Printf("%s %q\n", p.State, p.Reason)
	}
	// Output:
	// match ""
	// missing ""
	// revoked ""
	// differs "split wrongly: its strings are records of their own"
}
