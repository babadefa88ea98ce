// Package mconnect is the programs mconnect and mconnect-io, which connect a
// person or a script with a server.
package mconnect

import (
	"context"
	"io"
	"os/signal"
	"syscall"

	"ucspi-go/internal/ask"
	"ucspi-go/internal/crlf"
	"ucspi-go/internal/prog"
)

// Run runs mconnect [HOST [PORT]].
func Run(ctx context.Context, env *prog.Env) error {
	prog.PlainSignals()
	conn, err := ask.Connect(ctx, env, ask.Operand(env, 0, "0"), ask.Operand(env, 1, "25"))
	if err != nil {
		return err
	}
	exchange(env, conn, conn)
	return nil
}

// IO runs mconnect-io on the connection that tcpclient has made: descriptor 6
// reads from the network and 7 writes to it. One that is not open is at its
// end. As ucspi-tcp 0.88 mconnect-io.c.
func IO(_ context.Context, env *prog.Env) error {
	prog.PlainSignals()
	signal.Ignore(syscall.SIGPIPE)
	exchange(env, env.Fd(6), env.Fd(7))
	return nil
}

// exchange copies the input to the network and the network to the output
// until the network is at its end. The end of the input is no reason to end,
// and is not told to the server: it may still have much to say.
func exchange(env *prog.Env, from io.Reader, to io.Writer) {
	go send(to, env.Stdin)
	receive(env.Stdout, from)
}

const pieceSize = 16 << 10 // bytes

// send copies lines to the network, with a CR before each LF.
func send(to io.Writer, from io.Reader) {
	out := make([]byte, 0, 2*pieceSize+1)
	pump(from, func(data []byte) { _, _ = to.Write(crlf.Add(out, data)) })
}

func receive(to io.Writer, from io.Reader) {
	pump(from, func(data []byte) { _, _ = to.Write(data) })
}

// pump reads until the end or an error. What cannot be written is lost, and
// no reason to end, as in C.
func pump(from io.Reader, write func(data []byte)) {
	buf := make([]byte, pieceSize)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}
