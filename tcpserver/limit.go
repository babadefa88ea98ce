package tcpserver

import (
	"errors"
	"io"
	"os"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
)

// readLimit returns the number in the first line of a file, as it is in qmail's
// control/concurrencyincoming.
func readLimit(name string) (uint64, error) {
	f, err := prog.Open(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	const most = 100 // bytes: the rest is of no account
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.Trim(line, " \t\r")
	n, digits := prog.Number(line)
	if line == "" || digits != len(line) || digits > 9 {
		return 0, errors.New("not a number")
	}
	return n, nil
}

// newLimit reads the limit file again. One that is bad changes nothing.
func (s *Server) newLimit() {
	n, err := readLimit(s.limitFile)
	if err != nil {
		s.log.warn("unable to read "+s.limitFile, err)
		return
	}
	s.table.update(func() {
		s.table.limit = n
		s.table.status()
	})
}
