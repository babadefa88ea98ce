// Package recordio is the programs recordio and fixcrio, which put a copier
// between a program and its caller. The program keeps the process: its pid,
// exit code and signals are those that the caller sees. The copier is its
// child, and goes on until the program's output ends.
package recordio

import (
	"context"

	"ucspi-go/internal/prog"
)

const (
	usage        = "recordio program [ arg ... ]"
	usageFixcrio = "fixcrio program [ arg ... ]"
)

// Run runs recordio: what the program reads and writes is recorded on
// descriptor 2.
func Run(_ context.Context, env *prog.Env) error {
	return around(env, usage, recorder)
}

// RunFixcrio runs fixcrio: what the program reads and writes gets the CRs
// that its LFs lack.
func RunFixcrio(_ context.Context, env *prog.Env) error {
	return around(env, usageFixcrio, fixer)
}

// around starts the copier and becomes the program, or is the copier.
func around(env *prog.Env, usage string, work func(pid string) (in, out conversion)) error {
	if job, ok := jobOf(env); ok {
		job.copy(work)
		return nil
	}
	if len(env.Args) == 0 {
		return prog.Usage(usage, "")
	}
	if err := start(env); err != nil {
		return err
	}
	name := env.Args[0]
	err := env.Exec(name, env.Args, env.Environ)
	return prog.Fatal(111, "unable to run "+name, err)
}
