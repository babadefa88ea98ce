package rules_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ucspi-go/rules"
)

// FuzzParse: the two ways from text to a database agree on every input, and
// what they make can be read back.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "#\n", ":deny", "1.2.3.4-8:allow,A=\"b\",C=''\n", "=.h:allow\r\n", "39.160.226.88:deny\n10.0.1.92:deny\n",
		"a\x00b-1:allow,=\x00x\x00", "1-18446744073709551616.:deny,A==",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var streamed, whole memory
		streamErr := rules.CompileText(bytes.NewReader(text), &streamed)
		set, err := rules.Parse(bytes.NewReader(text))
		if err != nil {
			if streamErr == nil || err.Error() != streamErr.Error() {
				t.Fatalf("Parse: %v, CompileText: %v", err, streamErr)
			}
			return
		}
		if streamErr != nil {
			t.Fatalf("Parse: no error, CompileText: %v", streamErr)
		}
		if err := set.Compile(&whole); err != nil || !bytes.Equal(streamed.data, whole.data) {
			t.Fatalf("Compile (%v) and CompileText differ", err)
		}
		rs := records(streamed.data)
		if len(rs) > 100 {
			return
		}
		db := open(t, streamed.data)
		for _, r := range rs {
			d, err := db.Lookup(rules.Client{IP: r.Name})
			if err != nil || !d.Found || d.Key != r.Name {
				t.Fatalf("Lookup(%q) = %+v, %v, want it found", r.Name, d, err)
			}
		}
	})
}

// FuzzOpen: no file makes a lookup panic, last or fail otherwise than with
// ErrCorrupt.
func FuzzOpen(f *testing.F) {
	goldens, _ := filepath.Glob("testdata/*.cdb")
	for _, name := range goldens {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "1.2.3.4", "a.b", "joe")
	}
	f.Add([]byte{}, "", "", "")
	name := filepath.Join(f.TempDir(), "rules.cdb")
	f.Fuzz(func(t *testing.T, data []byte, ip, host, info string) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := rules.Open(name)
		if err == nil {
			defer db.Close()
			_, err = db.Lookup(rules.Client{IP: ip, Host: &host, Info: &info})
		}
		if err != nil && !errors.Is(err, rules.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
