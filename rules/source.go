package rules

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

// Sources returns the rules that have a record under key, in file order. The
// first one decides, and the others are never used for that key.
func (s *Set) Sources(key string) []Rule {
	var sources []Rule
	for _, rule := range s.Rules {
		if rule.has(key) {
			sources = append(sources, rule)
		}
	}
	return sources
}

// has reports whether the rule has a record under key.
func (r Rule) has(key string) bool {
	before, low, top, after, ranged := r.numbers()
	if !ranged {
		return key == before
	}
	digits, ok := strings.CutPrefix(key, before)
	if !ok {
		return false
	}
	digits, ok = strings.CutSuffix(digits, after)
	n, err := strconv.Atoi(digits)
	return ok && err == nil && strconv.Itoa(n) == digits && low <= n && n <= top
}

// DB returns the database that Compile writes, in memory. Its errors are those
// of Compile.
func (s *Set) DB() (*DB, error) {
	m := &memory{}
	if err := s.Compile(m); err != nil {
		return nil, err
	}
	return NewDB("", bytes.NewReader(m.data), int64(len(m.data)))
}

// Equal reports whether two databases are the same, byte by byte. The error is
// that of reading one.
func (db *DB) Equal(other *DB) (bool, error) {
	if db.size != other.size {
		return false, nil
	}
	const piece = 64 << 10
	a, b := make([]byte, piece), make([]byte, piece)
	for at := int64(0); at < db.size; at += piece {
		n := min(piece, db.size-at)
		if err := db.read(a[:n], at); err != nil {
			return false, err
		}
		if err := other.read(b[:n], at); err != nil {
			return false, err
		}
		if !bytes.Equal(a[:n], b[:n]) {
			return false, nil
		}
	}
	return true, nil
}

// memory is a file in memory.
type memory struct {
	data []byte
	at   int
}

func (m *memory) Write(p []byte) (int, error) {
	if end := m.at + len(p); end > len(m.data) {
		m.data = append(m.data, make([]byte, end-len(m.data))...)
	}
	n := copy(m.data[m.at:], p)
	m.at += n
	return n, nil
}

// Seek moves to an offset, from where the compiler asks for: the start, or the
// place where it is.
func (m *memory) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += int64(m.at)
	case io.SeekEnd:
		offset += int64(len(m.data))
	}
	m.at = int(offset)
	return offset, nil
}
