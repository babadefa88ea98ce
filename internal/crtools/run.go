// Package crtools is the programs addcr and delcr.
package crtools

import (
	"context"
	"io"

	"ucspi-go/internal/crlf"
	"ucspi-go/internal/prog"
)

// pieceSize is how much is read at once. What a pipe holds is this much.
const pieceSize = 64 << 10 // bytes

// Addcr runs addcr, which puts a CR before every LF.
func Addcr(_ context.Context, env *prog.Env) error {
	return filter(env, crlf.Add)
}

// Delcr runs delcr, which removes the CR before each LF.
func Delcr(_ context.Context, env *prog.Env) error {
	var r crlf.Remover
	if err := filter(env, r.Append); err != nil {
		return err
	}
	// As in delcr 0.88, nobody is told when the last byte cannot be written.
	if last := r.Flush(nil); len(last) > 0 {
		_ = write(env, last)
	}
	return nil
}

// filter copies the input, converted, to the output. All that was read is
// written before more is waited for, so that a person may sit at both ends.
func filter(env *prog.Env, convert func(dst, src []byte) []byte) error {
	prog.PlainSignals()
	in, out := make([]byte, pieceSize), make([]byte, 0, 2*pieceSize+1)
	for {
		n, err := env.Stdin.Read(in)
		if n > 0 {
			if err := write(env, convert(out, in[:n])); err != nil {
				return prog.Exit(111)
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return prog.Exit(111)
		}
	}
}

func write(env *prog.Env, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if env.Fd(1) == nil {
		return io.ErrClosedPipe // the Go runtime has put /dev/null there
	}
	_, err := env.Stdout.Write(data)
	return err
}
