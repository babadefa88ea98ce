// Package dkimtools has the programs for DKIM by hand: dkim, which signs or
// verifies a message, and dkimreport, which says in full how one verifies. Both
// ask package qmaildkim, so that they answer what qmail-dkim would do.
package dkimtools

import (
	"context"
	"strings"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
)

// Usage is dkim's command line, as the usage message and the manual have it.
const Usage = "dkim -v | dkim -s keyfile [ -lqth ] [ -b n ] [ -c r|s|t|u ] [ -d domain ] [ -i identity ] [ -x seconds ] [ -y selector ] [ -z n ]"

// options is dkim's command line.
type options struct {
	verify   bool
	keyFile  string
	domain   string   // -d; empty is the author's
	selector string   // -y; empty is the last component of keyFile
	signing  []string // the options of DKIMSIGNOPTIONS, values included
}

func parse(args []string) (*options, error) {
	var o options
	for opt, arg := range getopt.Parse(&args, "vs:d:y:b:c:li:qthx:z:") {
		switch opt {
		case 'v':
			o.verify = true
		case 's':
			o.keyFile = arg
		case 'd':
			o.domain = arg
		case 'y':
			o.selector = arg
		case 'l', 'q', 't', 'h':
			o.signing = append(o.signing, "-"+string(rune(opt)))
		case 'b', 'c', 'i', 'x', 'z':
			word, ok := quote(arg)
			if !ok {
				return nil, prog.Usage(Usage, "-"+string(rune(opt))+" takes no value with both kinds of quotes")
			}
			o.signing = append(o.signing, "-"+string(rune(opt)), word)
		default:
			return nil, prog.Usage(Usage, arg)
		}
	}
	signs := o.keyFile != "" || o.domain != "" || o.selector != "" || o.signing != nil
	if len(args) > 0 || o.verify == signs || signs && o.keyFile == "" {
		return nil, prog.Usage(Usage, "")
	}
	return &o, nil
}

// quote returns a word of DKIMSIGNOPTIONS, whose quotes cannot be escaped. Ok
// is false for one that holds both kinds.
func quote(word string) (quoted string, ok bool) {
	if !strings.Contains(word, "'") {
		return "'" + word + "'", true
	}
	return `"` + word + `"`, !strings.Contains(word, `"`)
}

// Run is the program dkim: it signs or verifies the message on standard input.
// Signing prints the header fields to put on top of it. Verifying prints a line
// for each signature and the verdict, and exits as VerdictCode says or, with
// DKIMVERIFY, as sagredo's dkim does: 14 when its letters reject the message,
// 88 when they defer it, else 0.
func Run(ctx context.Context, env *prog.Env) error {
	o, err := parse(env.Args)
	if err != nil {
		return err
	}
	if o.verify {
		return verify(ctx, env)
	}
	return o.sign(ctx, env)
}
