package qmaildkim

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// defaultExpire is how long a signature is valid unless configured.
const defaultExpire = 7 * 24 * time.Hour

// errOptions is the class of errors of signing options that cannot be used.
var errOptions = errors.New("qmaildkim: invalid signing options")

// A badOption is the part of the options that cannot be used, as configured.
type badOption string

func (b badOption) Error() string        { return ucspi.Safe(strings.ReplaceAll(string(b), " ", "-")) }
func (b badOption) Is(target error) bool { return target == errOptions }

// options is what DKIMSIGNOPTIONS says of one signature.
type options struct {
	simpleHeader bool // canonicalization, else relaxed
	simpleBody   bool
	identity     string        // i=, empty for none
	expire       time.Duration // x= from now, 0 for none
	query        bool          // q=dns/txt
	ed25519      bool          // -z 4 was asked for
	ignored      []string      // what was accepted without effect: "-b", "-l", ...
}

// parseOptions reads DKIMSIGNOPTIONS text and then the variables that have
// precedence over it. Flags are those of sagredo's qmail-dkim; -b, -h and -l
// and the SHA-1 of -z 1 and -z 3 are accepted without effect. The error is
// a badOption.
func parseOptions(text string, environ rules.Environ) (options, error) {
	o := options{expire: defaultExpire}
	args, err := words(text)
	if err != nil {
		return o, err
	}
	for opt, arg := range getopt.Parse(&args, "b:c:li:qthx:z:") {
		if err := o.set(opt, arg); err != nil {
			return o, err
		}
	}
	for _, operand := range args {
		o.ignore(operand)
	}
	if expire, set := environ.Lookup("DKIMEXPIRE"); set && expire == "" {
		o.expire = 0
	} else if set {
		if o.expire, err = seconds(expire); err != nil {
			return o, badOption("DKIMEXPIRE " + expire)
		}
	}
	if identity, _ := environ.Lookup("DKIMIDENTITY"); identity != "" {
		o.identity = identity
	}
	if o.identity == "-" {
		o.identity = ""
	}
	return o, nil
}

// set applies one option. A fault that getopt found ends in the letter.
func (o *options) set(opt byte, arg string) (err error) {
	bad := badOption("-" + string(rune(opt)) + " " + arg)
	switch opt {
	case 'b', 'l', 'h':
		o.ignore("-" + string(rune(opt)))
	case 'c':
		switch arg {
		case "r", "s", "t", "u":
			o.simpleHeader = arg == "s" || arg == "u"
			o.simpleBody = arg == "s" || arg == "t"
		default:
			return bad
		}
	case 'i':
		o.identity = arg
	case 'q':
		o.query = true
	case 't': // t= is always written
	case 'x':
		if arg == "-" {
			o.expire = 0
			return nil
		}
		if o.expire, err = seconds(arg); err != nil {
			return bad
		}
	case 'z':
		o.ed25519 = arg == "4"
		switch arg {
		case "1", "3":
			o.ignore("-z")
		case "2", "4":
		default:
			return bad
		}
	default:
		return badOption("-" + arg[len(arg)-1:])
	}
	return nil
}

func (o *options) ignore(word string) {
	if !slices.Contains(o.ignored, word) {
		o.ignored = append(o.ignored, word)
	}
}

// seconds reads a positive number of seconds. It fits in 31 bits, so that x=
// keeps the 12 digits of RFC 6376 section 3.5.
func seconds(s string) (time.Duration, error) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n == 0 {
		return 0, errOptions
	}
	return time.Duration(n) * time.Second, nil
}

// words splits text at blanks. A part in single or double quotes keeps its
// blanks and loses the quotes.
func words(text string) ([]string, error) {
	var (
		all    []string
		word   strings.Builder
		inWord bool
		quote  byte
	)
	for i := range len(text) {
		c := text[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '"', c == '\'':
			quote, inWord = c, true
		case strings.IndexByte(" \t\r\n\v\f", c) < 0:
			word.WriteByte(c)
			inWord = true
		case inWord:
			all = append(all, word.String())
			word.Reset()
			inWord = false
		}
	}
	if quote != 0 {
		return nil, badOption("unclosed quote")
	}
	if inWord {
		all = append(all, word.String())
	}
	return all, nil
}
