// Package rblsmtpd is the program rblsmtpd: it stands between tcpserver and
// an SMTP server, looks the client up in lists kept in the DNS, and answers a
// listed client itself. As ucspi-tcp 0.88 rblsmtpd.c, except where a comment
// says unlike.
package rblsmtpd

import (
	"context"
	"os"
	"strconv"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/private"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/sandbox"
	"ucspi-go/internal/socket"
)

// Run runs the program that the command line names, or serves the limited
// SMTP session of a blocked client and returns nil.
func Run(ctx context.Context, env *prog.Env) error {
	_, sandboxed := env.Lookup(sandbox.Variable)
	if sandboxed {
		prog.PlainSignals(sandbox.Signal)
	} else {
		prog.PlainSignals()
	}
	c := &check{
		client: newClient(env),
		names:  dns.New(env.Lookup),
		fault:  func(list, answer string) { warnFault(env, list, answer) },
	}
	c.preset(env)
	o := options{timeout: 60}
	program, err := o.carryOut(socket.Direct(ctx), env.Args, c)
	if err != nil {
		return err
	}
	if !c.blocked() {
		return prog.Fatal(111, "unable to run "+program[0], env.Exec(program[0], program, env.Environ))
	}
	if sandboxed {
		// What a stranger sends from here on is read by a process that starts
		// and opens nothing any more. The program of another client needs all.
		if err := sandbox.Restrict(sandbox.Rules{}); err != nil {
			env.Warn("no sandbox", err)
		}
	}
	block(env, c, o.timeout)
	return nil
}

// block logs why the client is blocked and talks to it.
func block(env *prog.Env, c *check, timeout uint64) {
	message := c.message()
	env.Say("rblsmtpd: " + c.client.text + " pid " + strconv.Itoa(os.Getpid()) + ": " + message)
	s := session{conn: conn{in: descriptor(env, 0), out: descriptor(env, 1)}, refusal: message}
	if timeout == 0 {
		s.reply(message)
		s.flush()
		return
	}
	// As alarm(2), which takes 32 bits and waits for ever when they are 0.
	if n := uint32(timeout); n != 0 {
		s.conn.deadline = time.Now().Add(time.Duration(n) * time.Second)
	}
	s.serve()
}

// descriptor returns n, or -1 when it is not open.
func descriptor(env *prog.Env, n int) int {
	if env.Fd(n) == nil {
		return -1
	}
	return n
}

// warnFault logs that a list answers with what lists nobody. Mail flows, so
// nobody would look for the line that every client could repeat: once a
// minute is enough.
func warnFault(env *prog.Env, list, answer string) {
	dir, _ := env.Lookup("TMPDIR")
	if due(private.Path(dir, "rblsmtpd"), list, time.Now()) {
		env.Warn("list "+clean(list)+" answers "+answer+", which lists nobody: configuration fault here or there", nil)
	}
}
