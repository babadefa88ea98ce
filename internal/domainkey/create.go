package domainkey

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"slices"
	"strconv"

	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// create makes the files of the key pairs and prints the records.
func create(env *prog.Env, o *options, home string) error {
	own, err := findOwner(o.owner, home+"/"+keysDir)
	if err != nil {
		return err
	}
	f := &folder{home: home, name: keysDir + "/" + o.domain, owner: own}
	for _, p := range o.pairs() {
		for _, name := range []string{p.private, p.public, p.selector} {
			if err := f.absent(name); err != nil {
				return failed(o, home, err)
			}
		}
	}
	if o.kind != "ed25519" && o.bits < defaultBits {
		env.Warn("RSA keys under 2048 bits are weak", nil)
	}
	records, err := write(env, o, f)
	if err != nil {
		f.undo()
		return failed(o, home, err)
	}
	if f.foreign {
		env.Warn(f.name+" belongs to another user than its new key: give it to "+own.name+" with chown", nil)
	}
	if own.asRoot() {
		env.Warn("the key belongs to root: if qmail-smtpd runs as another user, give it to that user with -u or chown", nil)
	}
	if slices.Contains(f.made, f.name) {
		say(env, `publish the record, then sign with DKIMKEY="`+keysDir+"/%/"+o.selector+`"`)
	} else {
		say(env, "publish the record, then change to the key with domainkey -s "+o.domain+" "+o.selector)
	}
	return printRecords(env, o, records)
}

// write generates the pairs and writes their files. The links, by which
// qmail-dkim finds the keys, come last.
func write(env *prog.Env, o *options, f *folder) ([]record, error) {
	var records []record
	if err := f.open(); err != nil { // first, since a long key takes minutes
		return nil, err
	}
	if o.kind != "ed25519" && o.bits > defaultBits {
		say(env, "making an RSA key of "+strconv.Itoa(o.bits)+" bits, which takes a while")
	}
	for _, p := range o.pairs() {
		key, err := generate(p.kind, o.bits)
		if err != nil {
			return nil, err
		}
		if err := f.file(p.private, 0o600, key.privatePEM); err != nil {
			return nil, err
		}
		if err := f.file(p.public, 0o644, key.publicPEM); err != nil {
			return nil, err
		}
		records = append(records, record{p.selector, key.public})
	}
	for _, p := range o.pairs() {
		if err := f.link(p.selector, p.private); err != nil {
			return nil, err
		}
	}
	if err := f.sync(); err != nil {
		return nil, err
	}
	for _, p := range o.pairs() {
		say(env, "made "+f.name+"/"+p.private+", owner "+f.owner.name)
	}
	return records, nil
}

type generated struct {
	public                crypto.PublicKey
	privatePEM, publicPEM []byte
}

// generate makes a key.
func generate(kind string, bits int) (*generated, error) {
	var private crypto.Signer
	if kind == "rsa" {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil, err
		}
		private = key
	} else {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		private = key
	}
	file, err := keys.Encode(private)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	return &generated{private.Public(), file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})}, nil
}

// failed is the program's error for err, which names its file if it has one.
func failed(o *options, home string, err error) error {
	e := &prog.Error{Code: 111, Severity: "fatal", What: "unable to make a key", Err: err}
	var pe *fs.PathError
	if errors.As(err, &pe) {
		e.What = "unable to " + pe.Op + " " + pe.Path
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		e.Code = 1
		e.Hint = "domainkey -p " + o.domain + " " + o.selector + " prints the record of the existing key; a new key needs a new selector"
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "QMAILHOME, or else /var/qmail, must be qmail's home; now it is " + strconv.QuoteToASCII(home)
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "run it as root, or as the owner of " + home + "/" + keysDir
	}
	return e
}
