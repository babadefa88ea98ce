package mconnect

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// closer tells whether it was closed.
type closer struct {
	bytes.Buffer
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}

func (c *closer) CloseWrite() error { return c.Close() }

// The end of the input is not the end of the connection.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "a\nb\r\n\nlast\r", strings.Repeat("x\n", 2*pieceSize)} {
		for name, from := range map[string]io.Reader{
			"at once":      strings.NewReader(in),
			"by bytes":     iotest.OneByteReader(strings.NewReader(in)),
			"with its end": iotest.DataErrReader(strings.NewReader(in)),
		} {
			var to closer
			send(&to, from)
			if want := strings.ReplaceAll(in, "\n", "\r\n"); to.String() != want || to.closed {
				t.Errorf("%.20q %s: sent %.20q, closed %v", in, name, to.String(), to.closed)
			}
		}
	}
}

// failing takes nothing the first time.
type failing struct {
	bytes.Buffer
	failed bool
}

func (f *failing) Write(p []byte) (int, error) {
	if !f.failed {
		f.failed = true
		return 0, errors.New("full")
	}
	return f.Buffer.Write(p)
}

// What cannot be written is lost, what follows is not.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	for name, copy := range map[string]func(io.Writer, io.Reader){"send": send, "receive": receive} {
		var to failing
		copy(&to, iotest.OneByteReader(strings.NewReader("abc")))
		if to.String() != "bc" {
			t.Errorf("%s: %q, want %q", name, to.String(), "bc")
		}
	}
}

// Bytes of the network pass as they are.
func TestReceive(t *testing.T) {
	t.Parallel()
	var to closer
	receive(&to, strings.NewReader("a\r\nb\n\x00\xff\r"))
	if to.String() != "a\r\nb\n\x00\xff\r" {
		t.Errorf("received %q", to.String())
	}
}
