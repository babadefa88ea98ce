package keys_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"ucspi-go/qmaildkim/keys"
)

// A key is made, found as qmail-dkim finds it, and published.
func Example() {
	home, err := os.MkdirTemp("", "qmail")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)
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

	store := keys.Store{Home: home, Control: home + "/control"}
	key, err := store.Find("control/domainkeys/%/default", "example.com")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Path, key.Algorithm)
	text, err := keys.Record(key.Signer.Public(), false)
	if err != nil {
		log.Fatal(err)
	}
	name, _ := keys.RecordName(key.Selector, "example.com")
	fmt.Println(name, text[:len("v=DKIM1; k=ed25519; p=")])

	_, err = store.Find("control/domainkeys/%/default", "example.org")
	fmt.Println(errors.Is(err, keys.ErrNoKey), err)
	// Output:
	// control/domainkeys/example.com/default ed25519-sha256
	// default._domainkey.example.com v=DKIM1; k=ed25519; p=
	// true keys: no private key: control/domainkeys/example.org/default,control/domainkeys/default
}

// The selector is what the configuration says, not where a link leads.
func ExampleSelector() {
	fmt.Println(keys.Selector("control/domainkeys/%/default", "example.com"))
	fmt.Println(keys.Selector("/etc/keys/2026.06", "example.com"))
	fmt.Println(keys.Selector("control/domainkeys/%/a key", "example.com"))
	// Output:
	// default true
	// 2026.06 true
	// a key false
}

// A domain that a stranger has typed is safe as part of a path, or refused.
func ExampleDomain() {
	for _, text := range []string{"Example.COM.", "bücher.example", "../example.com", "192.0.2.1"} {
		domain, ok := keys.Domain(text)
		fmt.Printf("%q %v\n", domain, ok)
	}
	// Output:
	// "example.com" true
	// "xn--bcher-kva.example" true
	// "" false
	// "" false
}
