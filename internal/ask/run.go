// Package ask is the programs that ask one TCP service of a host and print
// the answer: who@, date@, finger@, http@ and tcpcat. In ucspi-tcp 0.88 they
// are scripts around tcpclient, addcr, delcr, cat and awk.
package ask

import (
	"context"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"ucspi-go/internal/crlf"
	"ucspi-go/internal/prog"
)

// A question is what a program asks and how it shows the answer.
type question struct {
	port       string
	text       string // what is sent, with LF line ends
	filter     filter // of the answer
	unwritable int    // exit code when the answer cannot be written
}

// Exit codes of the program that writes the answer in C.
const (
	exitCat = 1
	exitAwk = 2
)

// Who runs who@ [HOST], which asks the systat service.
func Who(ctx context.Context, env *prog.Env) error {
	return pipeline(ctx, env, question{port: "11", filter: visible{}, unwritable: exitCat})
}

// Date runs date@ [HOST], which asks the daytime service.
func Date(ctx context.Context, env *prog.Env) error {
	return pipeline(ctx, env, question{port: "13", filter: visible{}, unwritable: exitCat})
}

// Finger runs finger@ [HOST [USER]].
func Finger(ctx context.Context, env *prog.Env) error {
	return pipeline(ctx, env, question{
		port:       "79",
		text:       Operand(env, 1, "") + "\n",
		filter:     visible{},
		unwritable: exitCat,
	})
}

// HTTP runs http@ [HOST [PAGE [PORT]]]. The port is always named in the Host
// field.
func HTTP(ctx context.Context, env *prog.Env) error {
	port := Operand(env, 2, "80")
	return pipeline(ctx, env, question{
		port: port,
		text: "GET /" + Operand(env, 1, "") + " HTTP/1.0\n" +
			"Host: " + Operand(env, 0, "0") + ":" + port + "\n\n",
		filter:     &body{},
		unwritable: exitAwk,
	})
}

// Tcpcat runs tcpcat [HOST [PORT]], which prints what comes as it is.
func Tcpcat(ctx context.Context, env *prog.Env) error {
	prog.PlainSignals()
	conn, err := Connect(ctx, env, Operand(env, 0, "0"), Operand(env, 1, "17"))
	if err != nil {
		return err
	}
	prog.ResetSignal(syscall.SIGPIPE) // as tcpclient, for its program
	return show(env, conn, plain{}, exitCat)
}

// pipeline asks the question of the host in the command line. As a pipeline
// of sh it ends like its last part, which prints the answer: a host that
// cannot be reached has an empty answer, a connection that breaks a short one.
func pipeline(ctx context.Context, env *prog.Env, q question) error {
	prog.PlainSignals()
	brokenPipes := !signal.Ignored(syscall.SIGPIPE)
	name := env.Name
	var answer io.Reader = strings.NewReader("")
	conn, err := Connect(ctx, env, Operand(env, 0, "0"), q.port)
	if err == nil {
		_, _ = conn.Write(crlf.Add(nil, []byte(q.text))) // a server may talk without listening
		answer = breakable{conn}
	} else {
		prog.Report(env, err)
		env.Name = name
	}
	if brokenPipes {
		prog.ResetSignal(syscall.SIGPIPE)
	}
	return show(env, answer, &chain{first: &crlf.Remover{}, second: q.filter}, q.unwritable)
}
