package recordio

import (
	"bytes"
	"syscall"
)

// recorded is how much of a stream recordio 0.88 reads at once. A line of the
// record never goes past it.
const recorded = 256

// recorder returns the conversions of recordio, which change nothing.
func recorder(pid string) (in, out conversion) {
	return record(pid + " < "), record(pid + " > ")
}

// record records one direction. Not more is read than a pipe takes: when the
// program stops reading, little is recorded that it has not had.
func record(prefix string) conversion {
	r := &recordLog{prefix: prefix}
	return conversion{size: pipeBuf, convert: r.data, end: r.eof}
}

// A recordLog writes the record of one direction to descriptor 2. Errors are
// not looked at: what is copied matters more.
type recordLog struct {
	prefix string
	buf    [pipeBuf]byte // whole lines, so that a pipe keeps them whole
	n      int
}

func (r *recordLog) data(data []byte) []byte {
	for rest := data; len(rest) > 0; {
		piece := rest[:min(recorded, len(rest))]
		rest = rest[len(piece):]
		for len(piece) > 0 {
			i := bytes.IndexByte(piece, '\n')
			if i < 0 {
				r.line(piece, "+\n")
				break
			}
			r.line(piece[:i], " \n")
			piece = piece[i+1:]
		}
	}
	r.flush()
	return data
}

func (r *recordLog) eof() {
	r.line([]byte("[EOF]"), "\n")
	r.flush()
}

func (r *recordLog) line(text []byte, end string) {
	if len(r.prefix)+len(text)+len(end) > len(r.buf)-r.n {
		r.flush()
	}
	r.n += copy(r.buf[r.n:], r.prefix)
	r.n += copy(r.buf[r.n:], text)
	r.n += copy(r.buf[r.n:], end)
}

func (r *recordLog) flush() {
	for data := r.buf[:r.n]; len(data) > 0; {
		n, err := syscall.Write(2, data)
		if err != nil && err != syscall.EINTR {
			break
		}
		data = data[max(n, 0):]
	}
	r.n = 0
}
