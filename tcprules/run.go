package tcprules

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

const usage = "tcprules rules.cdb rules.tmp"

// Run is the program tcprules: Build from standard input with the two
// operands. As ucspi-tcp 0.88 tcprules.c. Only a program of this module can
// make its Env.
func Run(_ context.Context, env *prog.Env) error {
	if len(env.Args) < 2 {
		return prog.Usage(usage, "")
	}
	// At a file size limit the program is killed, as the C program is.
	prog.DefaultSignals(syscall.SIGXFSZ)
	cdb, tmp := env.Args[0], env.Args[1]
	return explain(Build(cdb, tmp, env.Stdin), cdb, tmp)
}

// explain turns an error of Build into the program's.
func explain(err error, cdb, tmp string) error {
	var bad *rules.SyntaxError
	var input *InputError
	var file *fs.PathError
	var move *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		text, _, _ := strings.Cut(bad.Text, "\x00") // a C string ends there
		return prog.Fatal(100, "unable to parse this line: "+text, nil)
	case errors.As(err, &input):
		return prog.Fatal(111, "unable to read input", input.Err)
	case errors.As(err, &move):
		return prog.Fatal(111, "unable to move "+tmp+" to "+cdb, err)
	case errors.As(err, &file) && file.Op == "open":
		return prog.Fatal(111, "unable to create "+tmp, err)
	}
	return prog.Fatal(111, "unable to write to "+tmp, err)
}
