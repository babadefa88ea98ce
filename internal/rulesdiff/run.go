// Package rulesdiff is the program tcprulesdiff: it tells how two sets of rules
// differ by what they do to clients, not by their text.
package rulesdiff

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/ucspi"
	"ucspi-go/rules"
)

// Usage is the command line, as the usage message and the manual have it.
const Usage = "tcprulesdiff old new"

// Run writes a line for each change to standard output. The exit code is 0
// when there is none, 1 when there are some, 111 when a file cannot be read.
// Each file may be text or a database; "-" is standard input.
func Run(_ context.Context, env *prog.Env) error {
	if len(env.Args) != 2 || env.Args[0] == "-" && env.Args[1] == "-" {
		return prog.Usage(Usage, "")
	}
	all := make(effects)
	before, err := load(env, env.Args[0], all)
	if err != nil {
		return err
	}
	after, err := load(env, env.Args[1], all)
	if err != nil {
		return err
	}
	changes := compare(before, after)
	var out strings.Builder
	for _, c := range changes {
		out.WriteString(c.tell(before.addressless() && after.addressless()))
		if out.Len() >= 64<<10 {
			if err := write(env, &out); err != nil {
				return err
			}
		}
	}
	if err := write(env, &out); err != nil {
		return err
	}
	if len(changes) > 0 {
		return prog.Exit(1)
	}
	return nil
}

func write(env *prog.Env, out *strings.Builder) error {
	if _, err := io.WriteString(env.Stdout, out.String()); err != nil {
		return prog.Fatal(111, "unable to write the changes", err)
	}
	out.Reset()
	return nil
}

// load reads a file, whatever it is.
func load(env *prog.Env, name string, all effects) (*side, error) {
	data, err := env.ReadInput(name)
	if err != nil {
		return nil, prog.Fatal(111, "unable to read "+name, err)
	}
	if rules.IsDatabase(data) {
		s, err := loadDatabase(name, data, all)
		if err != nil {
			return nil, prog.Fatal(111, "unable to read "+name, err)
		}
		return s, nil
	}
	s, err := loadText(data, all)
	var bad *rules.SyntaxError
	if errors.As(err, &bad) {
		return nil, &prog.Error{Code: 111, Severity: "fatal",
			What: "unable to parse line " + strconv.Itoa(bad.Line) + " of " + name + ": " + ucspi.Escape(bad.Text),
			Hint: "tcpruleslint " + name + " says what is wrong"}
	}
	return s, err
}
