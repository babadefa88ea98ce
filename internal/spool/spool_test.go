package spool

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// Small or large, written in pieces, by both kinds of file: what was written
// is read, by readers that do not disturb each other, and nothing is left in
// the folder.
func TestSpool(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, MaxMemory, MaxMemory + 1, 3 * MaxMemory} {
		dir := t.TempDir()
		s := &Spool{Dir: dir}
		want := strings.Repeat("0123456789", n/10+1)[:n]
		for b := []byte(want); len(b) > 0; {
			k := min(len(b), 100_000)
			if _, err := s.Write(b[:k]); err != nil {
				t.Fatal(err)
			}
			b = b[k:]
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%d bytes: %v, %v in the folder", n, entries, err)
		}
		if (s.file != nil) != (n > MaxMemory) || s.Size() != int64(n) {
			t.Errorf("%d bytes: file %v, size %d", n, s.file, s.Size())
		}
		first, second := s.Reader(), s.Reader()
		io.CopyN(io.Discard, first, 10)
		if err := iotest.TestReader(second, []byte(want)); n <= MaxMemory && err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		if rest, err := io.ReadAll(first); err != nil || string(rest) != want[min(10, n):] {
			t.Errorf("%d bytes: a second reader gives %d bytes, %v", n, len(rest), err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Where the file system does not know files without names.
func TestRemovedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := removedFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v in the folder", entries, err)
	}
	if _, err := f.WriteString("x"); err != nil {
		t.Error(err)
	}
	if b := make([]byte, 2); true {
		if n, _ := f.ReadAt(b, 0); !bytes.Equal(b[:n], []byte("x")) {
			t.Errorf("read %q", b[:n])
		}
	}
	if _, err := removedFile(dir + "/none"); !os.IsNotExist(err) {
		t.Errorf("no folder: %v", err)
	}
}
