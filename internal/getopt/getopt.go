// Package getopt parses options as djb's getopt does: in the order given,
// which is behaviour for some programs.
package getopt

import (
	"iter"
	"strings"
)

// Parse yields the options at the start of *args, each with its argument or
// "", and leaves the operands in *args. Spec names the letters; a colon after
// a letter says that it takes an argument, attached to it or the next word.
// Letters may be clustered. The first word that does not begin with "-", a
// lone "-" and the word after "--" begin the operands; there are no long
// options, and all that follows the "--" in its word is ignored.
//
// A fault is yielded as the option '?' with its text, "illegal option -- X"
// or "option requires an argument -- X", as the argument. As ucspi-tcp 0.88
// subgetopt.c.
func Parse(args *[]string, spec string) iter.Seq2[byte, string] {
	return func(yield func(byte, string) bool) {
		for len(*args) > 0 {
			word := (*args)[0]
			if len(word) < 2 || word[0] != '-' {
				return
			}
			*args = (*args)[1:]
			if word[1] == '-' {
				return
			}
			for i := 1; i < len(word); i++ {
				c := word[i]
				at := strings.IndexByte(spec, c)
				if at < 0 || c == ':' {
					if !yield('?', "illegal option -- "+word[i:i+1]) {
						return
					}
					continue
				}
				if at+1 >= len(spec) || spec[at+1] != ':' {
					if !yield(c, "") {
						return
					}
					continue
				}
				arg := word[i+1:]
				if arg == "" {
					if len(*args) == 0 {
						yield('?', "option requires an argument -- "+string(rune(c)))
						return
					}
					arg = (*args)[0]
					*args = (*args)[1:]
				}
				if !yield(c, arg) {
					return
				}
				break
			}
		}
	}
}
