// Release tells what the project's programs are made of, as the packages carry
// it: a bill of materials and the licences of all that is linked. The script
// package beside it makes the packages.
package main

import (
	"context"
	"strconv"
	"time"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
)

const usage = "release [ -b bindir ] [ -v version ] [ -t seconds ] bom | copyright"

func main() { prog.Main("release", run) }

func run(_ context.Context, env *prog.Env) error {
	bin, version := "bin", "0"
	var at time.Time
	args := env.Args
	for opt, arg := range getopt.Parse(&args, "b:v:t:") {
		switch opt {
		case 'b':
			bin = arg
		case 'v':
			version = arg
		case 't':
			seconds, err := strconv.ParseInt(arg, 10, 64)
			if err != nil {
				return prog.Usage(usage, "-t takes seconds since 1970")
			}
			at = time.Unix(seconds, 0).UTC()
		default:
			return prog.Usage(usage, arg)
		}
	}
	if len(args) != 1 {
		return prog.Usage(usage, "")
	}
	l, err := read(bin)
	if err != nil {
		return err
	}
	switch args[0] {
	case "bom":
		return l.writeBOM(env.Stdout, version, at)
	case "copyright":
		return l.writeCopyright(env.Stdout)
	}
	return prog.Usage(usage, "no "+args[0])
}
