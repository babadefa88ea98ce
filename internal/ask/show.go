package ask

import (
	"io"
	"syscall"

	"ucspi-go/internal/prog"
)

// A filter converts one stream that comes in pieces, cut anywhere.
type filter interface {
	Append(dst, src []byte) []byte // appends the next piece, converted
	Flush(dst []byte) []byte       // appends what the end of the stream makes
}

// pieceSize is how much is read at once.
const pieceSize = 16 << 10 // bytes

// show prints what comes, through the filter, as soon as it comes. Code is
// that of its errors.
func show(env *prog.Env, from io.Reader, f filter, code int) error {
	if env.Fd(1) == nil {
		return unwritable(code, syscall.EBADF) // the Go runtime has put /dev/null there
	}
	in, out := make([]byte, pieceSize), make([]byte, 0, 2*pieceSize)
	for {
		n, err := from.Read(in)
		out = f.Append(out[:0], in[:n])
		if err == io.EOF {
			out = f.Flush(out)
		}
		if len(out) > 0 {
			if _, err := env.Stdout.Write(out); err != nil {
				return unwritable(code, err)
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return prog.Fatal(code, "unable to read the answer", err)
		}
	}
}

func unwritable(code int, err error) error {
	return prog.Fatal(code, "unable to write output", err)
}

// A breakable reader ends where it fails.
type breakable struct{ io.Reader }

func (b breakable) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		err = io.EOF
	}
	return n, err
}
