package ask

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/tcpclient"
)

// Connect makes a connection for a program that is a script around tcpclient
// in ucspi-tcp 0.88. From then on env has the name tcpclient if that failed:
// the message is tcpclient's there, and here. SIGPIPE is ignored, so that a
// reader of the messages who has gone makes no difference.
func Connect(ctx context.Context, env *prog.Env, host, port string) (*os.File, error) {
	signal.Ignore(syscall.SIGPIPE)
	fd, err := tcpclient.Connect(ctx, env, host, port)
	if err != nil {
		env.Name = "tcpclient"
		return nil, err
	}
	return os.NewFile(uintptr(fd), "connection"), nil
}

// Operand returns operand n of the command line, counted from 0, or else what
// it is by default. One that is given and empty counts.
func Operand(env *prog.Env, n int, or string) string {
	if n < len(env.Args) {
		return env.Args[n]
	}
	return or
}
