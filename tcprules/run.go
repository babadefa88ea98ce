// Package tcprules builds and checks a rules database: the programs tcprules
// and tcprulescheck.
package tcprules

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

const usage = "tcprules rules.cdb rules.tmp"

// Run is tcprules: it compiles standard input to the file of its second
// operand and moves that to its first. On any error the first is untouched
// and the second stays. As ucspi-tcp 0.88 tcprules.c.
func Run(_ context.Context, env *prog.Env) error {
	if len(env.Args) < 2 {
		return prog.Usage(usage, "")
	}
	cdb, tmp := env.Args[0], env.Args[1]
	// At a file size limit the program is killed, as the C program is.
	prog.DefaultSignals(syscall.SIGXFSZ)
	// Not exclusive, and through a symbolic link if that is what tmp is.
	// Non-blocking, because a FIFO without a reader would hang.
	f, err := prog.Open(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return prog.Fatal(111, "unable to create "+tmp, err)
	}
	defer f.Close()
	if err := write(f, input{env.Stdin}); err != nil {
		return explain(err, tmp)
	}
	// Not os.Rename, which has words of its own for a folder in the way.
	if err := syscall.Rename(tmp, cdb); err != nil {
		return prog.Fatal(111, "unable to move "+tmp+" to "+cdb, err)
	}
	return nil
}

// write makes sure that the database is on the disk before it can replace
// the old one.
func write(f *os.File, text io.Reader) error {
	if err := rules.CompileText(text, f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// explain turns what compiling ran into to the program's error.
func explain(err error, tmp string) error {
	var bad *rules.SyntaxError
	var fatal *prog.Error
	switch {
	case errors.As(err, &bad):
		text, _, _ := strings.Cut(bad.Text, "\x00") // a C string ends there
		return prog.Fatal(100, "unable to parse this line: "+text, nil)
	case errors.As(err, &fatal):
		return fatal
	}
	return prog.Fatal(111, "unable to write to "+tmp, err)
}

// An input makes read errors known from write errors.
type input struct{ r io.Reader }

func (in input) Read(p []byte) (int, error) {
	n, err := in.r.Read(p)
	if err != nil && err != io.EOF {
		err = prog.Fatal(111, "unable to read input", err)
	}
	return n, err
}
