// Package domainkey makes the key pair of a domain and selector, and prints
// its DNS record.
package domainkey

import (
	"errors"
	"strconv"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// Usage is the command line, as the usage message and the manual have it.
const Usage = "domainkey [ -py ] [ -t rsa|ed25519|both ] [ -b bits ] [ -u owner ] domain [ selector ]"

// Lengths of RSA keys in bits: what is made, and what is not warned about.
const (
	minBits     = 1024 // RFC 8301 section 3.2; less is refused when signing
	maxBits     = 8192
	defaultBits = 2048
)

type options struct {
	print    bool   // -p: print the record of an existing key
	testing  bool   // -y: the record says t=y
	kind     string // -t: "rsa", "ed25519" or "both"
	bits     int    // -b
	owner    string // -u: a user's name or number; empty for the usual one
	domain   string // as keys.Domain
	selector string
}

func parse(args []string) (*options, error) {
	o := options{kind: "rsa", bits: defaultBits, selector: "default"}
	making := false // an option that -p has no use for
	for opt, arg := range getopt.Parse(&args, "pyt:b:u:") {
		making = making || opt == 't' || opt == 'b' || opt == 'u'
		switch opt {
		case 'p':
			o.print = true
		case 'y':
			o.testing = true
		case 't':
			if o.kind = arg; arg != "rsa" && arg != "ed25519" && arg != "both" {
				return nil, prog.Usage(Usage, "-t takes rsa, ed25519 or both")
			}
		case 'b':
			var err error
			if o.bits, err = strconv.Atoi(arg); err != nil || o.bits < minBits || o.bits > maxBits {
				return nil, prog.Usage(Usage, "-b takes a number of bits from 1024 to 8192")
			}
		case 'u':
			o.owner = arg
		default:
			return nil, prog.Usage(Usage, arg)
		}
	}
	if o.print && making {
		return nil, prog.Usage(Usage, "-p makes no key and takes none of -t, -b and -u")
	}
	if len(args) < 1 || len(args) > 2 {
		return nil, prog.Usage(Usage, "")
	}
	if len(args) == 2 {
		o.selector = args[1]
	}
	var ok bool
	if o.domain, ok = keys.Domain(args[0]); !ok {
		return nil, prog.Fatal(100, "unable to use the domain "+strconv.QuoteToASCII(args[0]), errors.New("not a DNS name"))
	}
	for _, p := range o.pairs() {
		if _, ok := keys.RecordName(p.selector, o.domain); !ok {
			return nil, prog.Fatal(100, "unable to use the selector "+strconv.QuoteToASCII(o.selector), errors.New("not a DNS name"))
		}
	}
	return &o, nil
}

// A pair is a key pair to be made.
type pair struct {
	kind     string // "rsa" or "ed25519"
	selector string // s= of its signatures, and the name of the link to its private key
	private  string // file names
	public   string
}

// pairs returns what -t asks for. Beside an RSA key the Ed25519 key has a
// selector of its own, since a record holds one key; qmail-dkim finds it by
// that name and signs with both.
func (o *options) pairs() []pair {
	one := func(kind, selector string) pair {
		return pair{kind, selector, kind + ".private_" + o.selector, kind + ".public_" + o.selector}
	}
	if o.kind == "both" {
		return []pair{one("rsa", o.selector), one("ed25519", o.selector+"-ed25519")}
	}
	return []pair{one(o.kind, o.selector)}
}
