package domainkey

import (
	"errors"
	"strconv"
	"strings"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/qmaildkim/keys"
)

// Usage is the command line, as the usage message and the manual have it.
const Usage = "domainkey [ -clprsy ] [ -t rsa|ed25519|both ] [ -b bits ] [ -u owner ] [ -o bind|tinydns|nsupdate ] [ -f rules ] [ domain [ selector ] ]"

// Lengths of RSA keys in bits: what is made, and what is not warned about.
const (
	minBits     = 1024 // RFC 8301 section 3.2; less is refused when signing
	maxBits     = 8192
	defaultBits = 2048
)

// An action is what the program is asked to do: the letter of its option.
type action byte

const (
	making   action = 0   // no letter: make a key and print its record
	printing action = 'p' // print the record of an existing key
	revoking action = 'r' // print the record that revokes it
	checking action = 'c' // ask every name server for its record
	listing  action = 'l' // say of every key what it does
	changing action = 's' // make the domain's mail be signed with it
)

// takes are the options that go with an action, and how many operands it has.
var takes = map[action]struct {
	options     string
	least, most int
}{
	making:   {"ytbuo", 1, 2},
	printing: {"yo", 1, 2},
	revoking: {"of", 2, 2},
	checking: {"", 1, 2},
	listing:  {"f", 0, 1},
	changing: {"f", 2, 2},
}

type options struct {
	action
	testing  bool   // -y: the record says t=y
	kind     string // -t: "rsa", "ed25519" or "both"
	bits     int    // -b
	owner    string // -u: a user's name or number; empty for the usual one
	form     form   // -o
	rules    string // -f: a rules file; empty for the usual one
	domain   string // as keys.Domain
	selector string
}

func parse(args []string) (*options, error) {
	o := options{kind: "rsa", bits: defaultBits, form: bind, selector: "default"}
	given := ""
	for opt, arg := range getopt.Parse(&args, "clprsyt:b:u:o:f:") {
		if _, ok := takes[action(opt)]; ok {
			if o.action != making && o.action != action(opt) {
				return nil, prog.Usage(Usage, "-"+string(rune(o.action))+" and -"+string(rune(opt))+" exclude each other")
			}
			o.action = action(opt)
			continue
		}
		given += string(rune(opt))
		var ok bool
		switch opt {
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
		case 'f':
			o.rules = arg
		case 'o':
			if o.form, ok = forms[arg]; !ok {
				return nil, prog.Usage(Usage, "-o takes bind, tinydns or nsupdate")
			}
		default:
			return nil, prog.Usage(Usage, arg)
		}
	}
	if err := o.fits(given, len(args)); err != nil {
		return nil, err
	}
	return &o, o.operands(args)
}

// fits returns the usage error for options or a number of operands that the
// action does not take.
func (o *options) fits(given string, operands int) error {
	t := takes[o.action]
	for _, opt := range given {
		if !strings.ContainsRune(t.options, opt) {
			who := "making a key"
			if o.action != making {
				who = "-" + string(rune(o.action))
			}
			return prog.Usage(Usage, who+" takes no -"+string(opt))
		}
	}
	if operands < t.least || operands > t.most {
		return prog.Usage(Usage, "")
	}
	return nil
}

func (o *options) operands(args []string) error {
	if len(args) == 0 {
		return nil
	}
	if len(args) == 2 {
		o.selector = args[1]
	}
	var ok bool
	if o.domain, ok = keys.Domain(args[0]); !ok {
		return prog.Fatal(100, "unable to use the domain "+strconv.QuoteToASCII(args[0]), errors.New("not a DNS name"))
	}
	for _, p := range o.pairs() {
		if _, ok := keys.RecordName(p.selector, o.domain); !ok {
			return prog.Fatal(100, "unable to use the selector "+strconv.QuoteToASCII(o.selector), errors.New("not a DNS name"))
		}
	}
	return nil
}

// second is what qmail-dkim adds to the selector of a key to find the one
// that makes a second signature.
const second = "-ed25519"

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
		return []pair{one("rsa", o.selector), one("ed25519", o.selector+second)}
	}
	return []pair{one(o.kind, o.selector)}
}
