// Package prog is the one way the project's programs start, fail and exit.
package prog

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
)

// Env is all of the outside world that a program may touch.
type Env struct {
	Name    string   // the program's own name, which begins its messages
	Called  string   // argv[0]
	Argv0   string   // last path component of argv[0], which option faults name
	Args    []string // without the program name
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Environ []string // as os.Environ: every setting, copies included

	// Exec replaces the process by the program name, searched as FindProgram
	// does in this process's PATH, whatever environ says. The program gets
	// the limits, ignored signals and closed descriptors that this one was
	// started with. Exec returns only on failure, with the plain errno.
	Exec func(name string, argv, environ []string) error

	// Fd returns the inherited descriptor n, or nil when it is not open.
	// The caller does not own it: it must not be closed.
	Fd func(n int) *os.File
}

// Lookup returns the value of an environment variable and whether it is set.
// A variable that is set but empty is not unset: RELAYCLIENT="" counts.
// Of several copies the first counts, as getenv.
func (e *Env) Lookup(name string) (value string, set bool) {
	for _, s := range e.Environ {
		if len(s) > len(name) && s[len(name)] == '=' && s[:len(name)] == name {
			return s[len(name)+1:], true
		}
	}
	return "", false
}

// Warn writes the line "name: warning: what: cause" to standard error. The
// line is one write. A nil err leaves out the cause.
func (e *Env) Warn(what string, err error) {
	(&Error{Severity: "warning", What: what, Err: err}).print(e)
}

// Say writes text and a line end to standard error, in one write. When that
// fails there is nobody left to tell.
func (e *Env) Say(text string) { _, _ = io.WriteString(e.Stderr, text+"\n") }

// Error is how a program ends otherwise than with exit code 0.
type Error struct {
	Code     int    // exit code: 100 permanent or usage, 111 temporary, or one of the queue side's
	Severity string // "fatal", "usage" or "warning"; empty prints no line
	What     string // "unable to bind", or the usage text
	Err      error  // cause, printed by Errstr; nil for none
	Fault    string // a line before the usage line: "illegal option -- Z"
	Hint     string // a second line: what to do; empty for none
}

// Error returns the line without the program's name.
func (e *Error) Error() string {
	s := e.Severity + ": " + e.What
	if e.Err != nil {
		s += ": " + Errstr(e.Err)
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func (e *Error) print(env *Env) {
	var b strings.Builder
	if e.Fault != "" {
		b.WriteString(env.Argv0 + ": " + e.Fault + "\n")
	}
	if e.Severity != "" {
		b.WriteString(env.Name + ": " + e.Error() + "\n")
	}
	if e.Hint != "" {
		b.WriteString(env.Name + ": hint: " + e.Hint + "\n")
	}
	if b.Len() > 0 {
		env.Say(strings.TrimSuffix(b.String(), "\n"))
	}
}

// Fatal returns the error that prints "name: fatal: what: cause" and exits
// with code.
func Fatal(code int, what string, err error) error {
	return &Error{Code: code, Severity: "fatal", What: what, Err: err}
}

// Usage returns the error that prints the usage line and exits 100. Fault is
// what an option parser found, printed on a line before it; empty for none.
func Usage(usage, fault string) error {
	return &Error{Code: 100, Severity: "usage", What: usage, Fault: fault}
}

// Exit returns the error that exits with code and prints nothing.
func Exit(code int) error { return &Error{Code: code} }

// Main runs a program and exits: 0 when run returns nil, else with the code
// of its Error after printing that Error, or 111 for any other error.
func Main(name string, run func(context.Context, *Env) error) {
	keepIgnored()
	hideClosed()
	env := &Env{
		Name:    name,
		Argv0:   name,
		Stdin:   standard(os.Stdin),
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Environ: os.Environ(),
		Fd:      inherited,
	}
	env.Exec = env.exec
	if len(os.Args) > 0 {
		env.Called = os.Args[0]
		env.Argv0 = os.Args[0][strings.LastIndexByte(os.Args[0], '/')+1:]
		env.Args = os.Args[1:]
	}
	os.Exit(Report(env, run(context.Background(), env)))
}

// Report prints what err has to say and returns the exit code it stands for.
func Report(env *Env, err error) int {
	if err == nil {
		return 0
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: 111, Severity: "fatal", What: err.Error()}
	}
	e.print(env)
	return e.Code
}
