// Package argv0 is the program argv0.
package argv0

import (
	"context"

	"ucspi-go/internal/prog"
)

const usage = "argv0 realname program [ arg ... ]"

// Run runs argv0: it becomes the program realname with the rest of the
// arguments, the program's own name among them.
func Run(_ context.Context, env *prog.Env) error {
	if len(env.Args) < 2 {
		return prog.Usage(usage, "")
	}
	realname := env.Args[0]
	err := env.Exec(realname, env.Args[1:], env.Environ)
	return prog.Fatal(111, "unable to run "+realname, err)
}
