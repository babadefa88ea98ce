package rules_test

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/rules"
)

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		want error
	}{
		{filepath.Join(dir, "missing"), fs.ErrNotExist},
		{"", fs.ErrNotExist},
		{dir, syscall.EISDIR},
		{fifo, rules.ErrCorrupt},
		{os.DevNull, rules.ErrCorrupt},
		{"/dev/zero", rules.ErrCorrupt},
		{write(t, nil), rules.ErrCorrupt},
		{write(t, make([]byte, 2047)), rules.ErrCorrupt},
		{write(t, make([]byte, 4096)), rules.ErrCorrupt}, // what a crash leaves
	} {
		for range 3 {
			_, err := rules.Open(tt.name)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.name) {
				t.Errorf("Open(%q) = %v, want %v", tt.name, err, tt.want)
			}
			if tt.want == rules.ErrCorrupt && !errors.Is(err, syscall.EPROTO) {
				t.Errorf("%v is not EPROTO", err)
			}
		}
	}
}

// descriptors returns how many descriptors lead to name, and how many of
// these a program that is executed would inherit.
func descriptors(t *testing.T, name string) (n, inherited int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	for _, fd := range fds {
		if to, _ := os.Readlink("/proc/self/fd/" + fd.Name()); to != name {
			continue
		}
		n++
		info, _ := os.ReadFile("/proc/self/fdinfo/" + fd.Name())
		if !strings.Contains(string(info), "flags:\t02") { // O_CLOEXEC, octal
			inherited++
		}
	}
	return n, inherited
}

func TestOpenKeepsNoDescriptor(t *testing.T) {
	t.Parallel()
	name := write(t, compile(t, ":deny\n"))
	db, err := rules.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if n, inherited := descriptors(t, name); n != 1 || inherited != 0 {
		t.Errorf("%d descriptors, %d inherited, want 1 and 0", n, inherited)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err == nil {
		t.Error("second Close: no error")
	}
	if _, err := db.Lookup(rules.Client{}); err == nil {
		t.Error("Lookup after Close: no error")
	}
	bad := write(t, []byte("short"))
	if _, err := rules.Open(bad); err == nil {
		t.Error("a short file opened")
	}
	for _, name := range []string{name, bad} {
		if n, _ := descriptors(t, name); n != 0 {
			t.Errorf("%s: %d descriptors left", name, n)
		}
	}
}

// TestTruncated cuts a database everywhere.
func TestTruncated(t *testing.T) {
	t.Parallel()
	data := compile(t, "10.1.2.3:deny,A=\"b\"\n10.:deny\n:allow\n")
	name := write(t, data)
	for size := len(data) - 1; size >= 0; size-- {
		if err := os.Truncate(name, int64(size)); err != nil {
			t.Fatal(err)
		}
		if _, err := rules.Open(name); !errors.Is(err, rules.ErrCorrupt) || !strings.Contains(err.Error(), name) {
			t.Fatalf("cut to %d of %d bytes: %v, want ErrCorrupt", size, len(data), err)
		}
	}
}

// TestTruncatedLater cuts a database that is open.
func TestTruncatedLater(t *testing.T) {
	t.Parallel()
	name := write(t, compile(t, ":deny\n"))
	db, err := rules.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := os.Truncate(name, 2050); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Lookup(rules.Client{}); !errors.Is(err, rules.ErrCorrupt) {
		t.Errorf("Lookup = %v, want ErrCorrupt", err)
	}
}

// TestHostile puts extreme numbers into each field of a database of one rule
// for everybody: index, slots and record.
func TestHostile(t *testing.T) {
	t.Parallel()
	good := compile(t, ":deny\n")
	table := 5381 & 0xff * 8 // where the index tells of the table of the empty key
	record := 2048
	slots := record + 8 + 2
	for _, field := range []int{table, table + 4, slots, slots + 4, slots + 8, slots + 12, record, record + 4} {
		for _, v := range []uint32{0, 1, 3, 7, 2047, 2048, uint32(len(good)), uint32(len(good) - 1), 1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 8, math.MaxUint32} {
			data := append([]byte(nil), good...)
			binary.LittleEndian.PutUint32(data[field:], v)
			db, err := rules.Open(write(t, data))
			if err == nil {
				defer db.Close()
				_, err = db.Lookup(rules.Client{})
			}
			if err != nil && !errors.Is(err, rules.ErrCorrupt) {
				t.Errorf("field at %d set to %d: %v", field, v, err)
			}
		}
	}
}

// TestHostileLoops: a table without an unused slot, whose slots lead to a
// record with another key, is not searched for ever and allows nobody.
func TestHostileLoops(t *testing.T) {
	t.Parallel()
	data := make([]byte, 2048)
	pair := func(a, b uint32) {
		data = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(data, a), b)
	}
	const hash, n = 5381, 100000 // of the empty key
	pair(1, 0)
	data = append(data, 'x')
	at := len(data)
	for range n {
		pair(hash, 2048)
	}
	binary.LittleEndian.PutUint32(data[hash&0xff*8:], uint32(at))
	binary.LittleEndian.PutUint32(data[hash&0xff*8+4:], n)
	if d, err := open(t, data).Lookup(rules.Client{}); !errors.Is(err, rules.ErrCorrupt) {
		t.Errorf("Lookup = %+v, %v, want ErrCorrupt", d, err)
	}
}

// TestHostileSparse is a file of 5 GiB that takes no space and claims tables
// and data of nearly 4 GiB. Not parallel, because it measures allocations.
func TestHostileSparse(t *testing.T) {
	data := compile(t, ":deny\n")
	binary.LittleEndian.PutUint32(data[2048+4:], math.MaxUint32-4096)
	name := write(t, data)
	if err := os.Truncate(name, 5<<30); err != nil {
		t.Skip(err)
	}
	db, err := rules.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = db.Lookup(rules.Client{})
	runtime.ReadMemStats(&after)
	if !errors.Is(err, rules.ErrCorrupt) {
		t.Errorf("Lookup = %v, want ErrCorrupt", err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func TestLargeRecord(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("v", 3<<20)
	d, err := build(t, ":allow,A=\""+value+"\"\n").Lookup(rules.Client{})
	if err != nil || len(d.Env) != 1 || d.Env[0].Value != value {
		t.Errorf("Lookup: %v, want a value of %d bytes", err, len(value))
	}
}
