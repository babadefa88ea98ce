package domainkey

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"path/filepath"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// A record is a key as it is published.
type record struct {
	selector string
	public   crypto.PublicKey
}

// records returns the key that qmail-dkim signs with, and the one that makes
// its second signature. Where there is none that can be read, the public key
// will do, with a warning.
func (o *options) records(env *prog.Env, home string) ([]record, error) {
	private, err := o.private(env, home)
	if err != nil {
		return o.publics(env, home, err)
	}
	var found []record
	for _, k := range private {
		found = append(found, record{k.Selector, k.Signer.Public()})
	}
	return found, nil
}

// private returns the private keys of records. The error is that of
// keys.Store.Find.
func (o *options) private(env *prog.Env, home string) ([]*keys.Key, error) {
	store := keys.Store{Home: home}
	first, err := store.Find(keysDir+"/%/"+o.selector, o.domain)
	if err != nil {
		return nil, err
	}
	if first.Path != o.own() {
		env.Warn(o.domain+" has no key of its own: this is "+first.Path+", which serves every such domain", nil)
	}
	also, err := store.Second(first)
	if err != nil {
		env.Warn(fault(err))
	}
	if also == nil {
		return []*keys.Key{first}, nil
	}
	return []*keys.Key{first, also}, nil
}

// own is where the key is unless it serves every domain.
func (o *options) own() string { return keysDir + "/" + o.domain + "/" + o.selector }

// publics returns the public keys. Why says what is wrong with the private
// key.
func (o *options) publics(env *prog.Env, home string, why error) ([]record, error) {
	var found []record
	both := *o
	both.kind = "both"
	for _, p := range both.pairs() {
		public, err := readPublic(filepath.Join(home, filepath.Dir(o.own()), p.public))
		if err != nil {
			continue
		}
		if len(found) == 0 {
			p.selector = o.selector
		}
		found = append(found, record{p.selector, public})
	}
	switch missing := errors.Is(why, keys.ErrNoKey); {
	case len(found) == 0:
		return nil, o.unusable(home, why)
	case missing:
		env.Warn("nothing signs with this key: "+o.own()+" does not exist", nil)
	default:
		env.Warn(fault(why))
	}
	return found, nil
}

// unusable returns the program's error for a key that cannot be used.
func (o *options) unusable(home string, why error) error {
	if errors.Is(why, keys.ErrNoKey) {
		return &prog.Error{Code: 1, Severity: "fatal", What: "unable to find a key of " + o.domain + " with the selector " + o.selector,
			Hint: "domainkey " + o.domain + " " + o.selector + " makes one in " + filepath.Dir(filepath.Join(home, o.own()))}
	}
	what, err := fault(why)
	return prog.Fatal(111, what, err)
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
	data, err := prog.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return x509.ParsePKIXPublicKey(block.Bytes)
}
