package rules_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
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
		db, err := rules.NewDB("fuzz", bytes.NewReader(streamed.data), int64(len(streamed.data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			d, err := db.Lookup(rules.Client{IP: r.Name})
			if err != nil || !d.Found || d.Key != r.Name {
				t.Fatalf("Lookup(%q) = %+v, %v, want it found", r.Name, d, err)
			}
		}
	})
}

// FuzzOpen: no file makes a lookup panic, last or fail otherwise than with
// ErrCorrupt. Each of the 256 entries of the index is the same, so that inputs
// are short and every key leads into the body.
func FuzzOpen(f *testing.F) {
	for _, text := range []string{":deny\n", "1.:allow,A='b'\n", "=.b:deny\n", "joe@1.2:allow\n"} {
		data := compile(f, text)
		key, _, _ := strings.Cut(text, ":")
		entry := data[rules.Hash(key)&0xff*8:]
		f.Add(data[2048:], binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[4:]), "1.2", "a.b", "joe")
	}
	f.Add([]byte{}, uint32(2048), uint32(0), "", "", "")
	f.Fuzz(func(t *testing.T, body []byte, start, length uint32, ip, host, info string) {
		entry := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, start), length)
		data := append(bytes.Repeat(entry, 256), body...)
		db, err := rules.NewDB("fuzz", bytes.NewReader(data), int64(len(data)))
		if err == nil {
			_, err = db.Lookup(rules.Client{IP: ip, Host: &host, Info: &info})
		}
		if err != nil && !errors.Is(err, rules.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}
