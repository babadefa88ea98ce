// Package ruleslint is the program tcpruleslint: it finds the mistakes in a
// rules file that tcprules compiles without a word, and says how to mend them.
package ruleslint

import (
	"context"
	"io"
	"strconv"
	"strings"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/qmail"
	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// Usage is the command line, as the usage message and the manual have it.
const Usage = "tcpruleslint [ -o 'tcpserver options' ] [ file ]"

// Run writes a line for each finding to standard output. The exit code is 0
// when there is none, 1 when there are some, 111 when the file cannot be read.
// Without a file it reads standard input, as tcprules.
func Run(_ context.Context, env *prog.Env) error {
	home := qmail.Home(env.Lookup)
	l := linter{home: home, control: string(qmail.ControlDir(home, env.Lookup))}
	args := env.Args
	for opt, arg := range getopt.Parse(&args, "o:") {
		if opt != 'o' {
			return prog.Usage(Usage, arg)
		}
		var err error
		if l.server, err = serverOptions(arg); err != nil {
			return err
		}
	}
	if len(args) > 1 {
		return prog.Usage(Usage, "")
	}
	name := "-"
	if len(args) == 1 {
		name = args[0]
	}
	text, err := env.ReadInput(name)
	if err != nil {
		return prog.Fatal(111, "unable to read "+name, err)
	}
	if rules.IsDatabase(text) {
		return &prog.Error{Code: 111, Severity: "fatal", What: name + " is a compiled database",
			Hint: "give the text from which tcprules made it"}
	}
	if name == "-" {
		name = "stdin"
	}
	findings := l.lint(text)
	var out strings.Builder
	for _, f := range findings {
		out.WriteString(name + ":" + strconv.Itoa(f.line) + ": " + f.severity() + ": " + f.text + "\n")
	}
	if _, err := io.WriteString(env.Stdout, out.String()); err != nil {
		return prog.Fatal(111, "unable to write the findings", err)
	}
	if l.unchecked {
		env.Say(env.Name + ": note: " + l.home + " does not exist, so that programs and keys were not looked for")
	}
	if len(findings) > 0 {
		return prog.Exit(1)
	}
	return nil
}

// serverOptions reads the value of -o, which may begin with the program's name.
func serverOptions(text string) (*tcpserver.Config, error) {
	args := strings.Fields(text)
	if len(args) > 0 && (args[0] == "tcpserver" || strings.HasSuffix(args[0], "/tcpserver")) {
		args = args[1:]
	}
	c, err := tcpserver.ParseOptions(args)
	return &c, err
}
