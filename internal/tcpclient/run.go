package tcpclient

import (
	"context"
	"os/signal"
	"syscall"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/socket"
	"ucspi-go/internal/ucspi"
)

// Run is the program tcpclient.
func Run(ctx context.Context, env *prog.Env) error {
	prog.PlainSignals()
	takeDescriptors()
	// A reader of the messages that has gone must not stop the connection.
	signal.Ignore(syscall.SIGPIPE)
	o, err := parseOptions(env)
	if err != nil {
		return err
	}
	return o.quiet(o.run(socket.Direct(ctx), env))
}

func (o *options) run(ctx context.Context, env *prog.Env) error {
	resolver := dns.New(env.Lookup)
	addrs, err := o.addresses(ctx, resolver)
	if err != nil {
		return err
	}
	fd, err := o.connect(env, addrs)
	if err != nil {
		return err
	}
	if o.noDelay {
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1) // an attempt, as in C
	}
	c, err := endsOf(fd)
	if err != nil {
		return err
	}
	if o.verbosity >= verbose {
		say(env, "connected to "+at(c.remote.Addr(), c.remote.Port()))
	}
	environ := o.facts(ctx, resolver, c).Append(ucspi.Clear(env.Environ))
	if err := giveDescriptors(fd); err != nil {
		return err
	}
	prog.ResetSignal(syscall.SIGPIPE)
	err = env.Exec(o.program[0], o.program, environ)
	return prog.Fatal(111, "unable to run "+o.program[0], err)
}
