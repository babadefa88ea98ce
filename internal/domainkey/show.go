package domainkey

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// show prints the record of the key that qmail-dkim signs with, and of the one
// that makes its second signature. Where there is none that can be read, the
// public key will do, with a warning.
func show(env *prog.Env, o *options, home string) error {
	store := keys.Store{Home: home}
	own := keysDir + "/" + o.domain + "/" + o.selector
	key, err := store.Find(keysDir+"/%/"+o.selector, o.domain)
	if err != nil {
		return showPublic(env, o, home, own, err)
	}
	if key.Path != own {
		env.Warn(o.domain+" has no key of its own: this is "+key.Path+", which serves every such domain", nil)
	}
	second, err := store.Second(key)
	if err != nil {
		env.Warn(fault(err))
	}
	var records []published
	for _, k := range []*keys.Key{key, second} {
		if k == nil {
			continue
		}
		text, err := keys.Record(k.Signer.Public(), o.testing)
		if err != nil {
			return err
		}
		records = append(records, published{k.Selector, text})
	}
	return printRecords(env, o, records)
}

// showPublic prints the records of the public keys. Why says what is wrong
// with the private key named own.
func showPublic(env *prog.Env, o *options, home, own string, why error) error {
	var records []published
	o.kind = "both"
	for _, p := range o.pairs() {
		public, err := readPublic(filepath.Join(home, filepath.Dir(own), p.public))
		if err != nil {
			continue
		}
		text, err := keys.Record(public, o.testing)
		if err != nil {
			continue
		}
		if len(records) == 0 {
			p.selector = o.selector
		}
		records = append(records, published{p.selector, text})
	}
	missing := errors.Is(why, keys.ErrNoKey)
	switch {
	case len(records) > 0 && missing:
		env.Warn("nothing signs with this key: "+own+" does not exist", nil)
	case len(records) > 0:
		env.Warn(fault(why))
	case missing:
		return &prog.Error{Code: 1, Severity: "fatal", What: "unable to find a key of " + o.domain + " with the selector " + o.selector,
			Hint: "domainkey " + o.domain + " " + o.selector + " makes one in " + filepath.Dir(filepath.Join(home, own))}
	default:
		what, err := fault(why)
		return prog.Fatal(111, what, err)
	}
	return printRecords(env, o, records)
}

// fault returns the words and the cause of a key that cannot be used.
func fault(err error) (what string, cause error) {
	var f *keys.FaultError
	if errors.As(err, &f) {
		return "unable to use the key " + f.Path, f.Err
	}
	return "unable to use the key", err
}

func readPublic(name string) (crypto.PublicKey, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}
