package rules_test

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// memory is a file in memory.
type memory struct {
	data []byte
	at   int64
}

func (m *memory) Write(p []byte) (int, error) {
	if end := m.at + int64(len(p)); end > int64(len(m.data)) {
		m.data = append(m.data, make([]byte, end-int64(len(m.data)))...)
	}
	m.at += int64(copy(m.data[m.at:], p))
	return len(p), nil
}

func (m *memory) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	m.at = offset
	return offset, nil
}

// Close fails the test that the library would otherwise pass: files must not
// be closed before they are synced.
func (m *memory) Close() error { panic("closed") }

func compile(t testing.TB, text string) []byte {
	t.Helper()
	var m memory
	if err := rules.CompileText(strings.NewReader(text), &m); err != nil {
		t.Fatalf("CompileText(%q): %v", text, err)
	}
	return m.data
}

func compileErr(text string) error {
	return rules.CompileText(strings.NewReader(text), new(memory))
}

// records returns the records of a database in file order.
func records(data []byte) (out []rules.Var) {
	end := binary.LittleEndian.Uint32(data)
	for data = data[2048:end]; len(data) > 0; {
		k, d := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
		out = append(out, rules.Var{Name: string(data[8 : 8+k]), Value: string(data[8+k : 8+k+d])})
		data = data[8+k+d:]
	}
	return out
}

// write makes a file and returns its name.
func write(t testing.TB, data []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// build compiles text to a database and opens it.
func build(t testing.TB, text string) *rules.DB {
	t.Helper()
	return open(t, compile(t, text))
}

func open(t testing.TB, data []byte) *rules.DB {
	t.Helper()
	db, err := rules.Open(write(t, data))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
