package rules_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/rules"
)

//go:generate sh testdata/golden.sh

// TestGolden compares with databases that the C program made.
func TestGolden(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.rules")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(strings.TrimSuffix(name, ".rules") + ".cdb")
		if err != nil {
			t.Fatal(err)
		}
		if got := compile(t, string(text)); !bytes.Equal(got, want) {
			t.Errorf("%s: CompileText makes %d bytes that differ from the %d of the C program", name, len(got), len(want))
		}
		set, err := rules.Parse(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got memory
		if err := set.Compile(&got); err != nil || !bytes.Equal(got.data, want) {
			t.Errorf("%s: Compile differs from the C program (%v)", name, err)
		}
	}
}

func TestCompileRanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"1.2.3.4-8", "1.2.3.4 1.2.3.5 1.2.3.6 1.2.3.7 1.2.3.8"},
		{"1.2.3.253-300", "1.2.3.253 1.2.3.254 1.2.3.255"},
		{"1.2.3.8-4", ""},
		{"1.2.3.256-300", ""},
		{"007-9.", "7. 8. 9."},
		{"1.2.3.-2", "1.2.3.0 1.2.3.1 1.2.3.2"},
		{"1.2.3.5-", ""},
		{"1.2.3.0-", "1.2.3.0"},
		{"-", "0"},
		{"1-3.2-4.", "1.2-4. 2.2-4. 3.2-4."},
		{"0-18446744073709551616", "0"},
		{"18446744073709551617-2", "1 2"},
		{"1\x00x.2\x00y-3\x00z.4", "1\x00x.2.4 1\x00x.3.4"},
		{"x@1.2.3.4-8", "x@1.2.3.4-8"},
		{"=a-1-3.b", "=a-1-3.b"},
	} {
		var keys []string
		for _, r := range records(compile(t, tt.in+":deny\n")) {
			keys = append(keys, r.Name)
			if r.Value != "D\x00" {
				t.Errorf("%q: data %q, want D and NUL", tt.in, r.Value)
			}
		}
		if got := strings.Join(keys, " "); got != tt.want {
			t.Errorf("keys of %q = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestCompileData(t *testing.T) {
	t.Parallel()
	got := records(compile(t, ":allow\n1.:deny,A=\"x\",=''\n1.:allow,B\x00=\"\x00\"\n"))
	want := []rules.Var{{}, {Name: "1.", Value: "D\x00+A=x\x00+=\x00"}, {Name: "1.", Value: "+B\x00=\x00\x00"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("records = %q, want %q", got, want)
	}
}

// TestCompileHashZero fills the hash table in which a key hashes to 0: each of
// its keys must be found, whichever slot it has to move to.
func TestCompileHashZero(t *testing.T) {
	t.Parallel()
	text := "39.160.226.88:deny\n39.160.226.88:allow\n"
	for i := range 3000 {
		text += fmt.Sprintf("10.0.%d.%d:deny\n", i/250, i%250)
	}
	for _, text := range []string{text, "39.160.226.88:deny\n", "10.0.1.92:deny\n39.160.226.88:deny\n"} {
		db := build(t, text)
		for line := range strings.Lines(text) {
			ip, _, _ := strings.Cut(line, ":")
			if d, err := db.Lookup(rules.Client{IP: ip}); err != nil || !d.Deny || d.Key != ip {
				t.Fatalf("Lookup(%s) = %+v, %v, want it denied", ip, d, err)
			}
		}
	}
}

func TestCompileBadRange(t *testing.T) {
	t.Parallel()
	set := rules.Set{Rules: []rules.Rule{{Line: 7, Address: "a-b"}}}
	var bad *rules.SyntaxError
	if err := set.Compile(new(memory)); !errors.As(err, &bad) || bad.Line != 7 || bad.Text != "a-b" {
		t.Errorf("Compile = %v, want a SyntaxError in line 7", err)
	}
}

// TestCompileUnfinished: what is written before an error must not be a
// database, which would allow everybody.
func TestCompileUnfinished(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 10000} {
		var m memory
		text := strings.Repeat("1.2.3.4:deny\n", n) + ":nonsense\n"
		if err := rules.CompileText(strings.NewReader(text), &m); err == nil {
			t.Fatal("no error")
		}
		if n == 0 && len(m.data) != 0 { // as the C program leaves it
			t.Errorf("%d bytes before the first rule, want none", len(m.data))
		}
		if _, err := rules.Open(write(t, m.data)); !errors.Is(err, rules.ErrCorrupt) {
			t.Errorf("Open after %d rules = %v, want ErrCorrupt", n, err)
		}
	}
}

// failing is a file whose nth call of Write or Seek fails.
type failing struct {
	memory
	calls int
}

func (f *failing) fail() error {
	f.calls--
	if f.calls < 0 {
		return syscall.ENOSPC
	}
	return nil
}

func (f *failing) Write(p []byte) (int, error) {
	if err := f.fail(); err != nil {
		return 0, err
	}
	return f.memory.Write(p)
}

func (f *failing) Seek(offset int64, whence int) (int64, error) {
	if err := f.fail(); err != nil {
		return 0, err
	}
	return f.memory.Seek(offset, whence)
}

func TestCompileWriteErrors(t *testing.T) {
	t.Parallel()
	text := "39.160.226.88:deny\n" + strings.Repeat("1.2.3.4:deny\n", 3000)
	for n := range 100 {
		err := rules.CompileText(strings.NewReader(text), &failing{calls: n})
		if err == nil {
			if n < 7 {
				t.Errorf("only %d calls of Write and Seek", n)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("error after %d calls = %v, want ENOSPC", n, err)
		}
	}
	t.Error("an error in each of 100 calls")
}

// nothing is a file that forgets.
type nothing struct{}

func (nothing) Write(p []byte) (int, error)         { return len(p), nil }
func (nothing) Seek(at int64, _ int) (int64, error) { return at, nil }

func TestCompileTooBig(t *testing.T) {
	t.Parallel()
	// 256 records of 16 MiB are 4 GiB; one less leaves room for the tables.
	value := strings.Repeat("v", 16<<20-100)
	rule := func(addresses string) io.Reader {
		return strings.NewReader(addresses + ":allow,A=\"" + value + "\"\n1.2.3.4:allow,B=\"" + value[:20000] + "\"\n")
	}
	if err := rules.CompileText(rule("0-254."), nothing{}); err != nil {
		t.Errorf("below 4 GiB: %v", err)
	}
	err := rules.CompileText(rule("0-255."), nothing{})
	if !errors.Is(err, rules.ErrTooBig) || !errors.Is(err, syscall.ENOMEM) {
		t.Errorf("above 4 GiB: %v, want ErrTooBig and ENOMEM", err)
	}
}
