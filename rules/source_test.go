package rules

import (
	"os"
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	t.Parallel()
	set, err := Parse(strings.NewReader(`# comment
192.0.2.1:allow
10.8-12.:allow
192.0.2.1:deny
10.9.:deny
=.example.org:allow
joe@10.1-2:allow
1-2:deny
:allow
`))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][]int{
		"192.0.2.1": {2, 4}, "10.8.": {3}, "10.9.": {3, 5}, "10.12.": {3}, "10.13.": nil, "10.08.": nil, "10.+8.": nil,
		"10.8": nil, "": {9}, "=.example.org": {6}, "joe@10.1-2": {7}, "joe@10.1": nil, "1": {8}, "10.8-12.": nil,
	} {
		var got []int
		for _, r := range set.Sources(key) {
			got = append(got, r.Line)
		}
		if len(got) != len(want) || len(got) > 0 && (got[0] != want[0] || got[len(got)-1] != want[len(want)-1]) {
			t.Errorf("Sources(%q) = lines %v, want %v", key, got, want)
		}
		// What has a source is what the database has.
		db, err := set.DB()
		if err != nil {
			t.Fatal(err)
		}
		if has, err := db.Has(key); err != nil || has != (len(want) > 0) {
			t.Errorf("Has(%q) = %v, %v; want %v", key, has, err, len(want) > 0)
		}
	}
}

// The database in memory is the file that Compile writes.
func TestDBEqual(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("10.0-255.:allow,A=\"b\"\n", 300) + ":deny\n"
	set, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	name := t.TempDir() + "/cdb"
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := set.Compile(f); err != nil {
		t.Fatal(err)
	}
	file, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	db, err := set.DB()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*DB{file, db} {
		if same, err := d.Equal(db); !same || err != nil {
			t.Errorf("Equal = %v, %v, want the same", same, err)
		}
	}
	set.Rules[299].Env[0].Value = "c" // the same length, behind the first piece
	if db, err = set.DB(); err != nil {
		t.Fatal(err)
	}
	if same, err := file.Equal(db); same || err != nil {
		t.Errorf("Equal = %v, %v, want a difference", same, err)
	}
	set.Rules = set.Rules[:1]
	if db, err = set.DB(); err != nil {
		t.Fatal(err)
	}
	if same, err := file.Equal(db); same || err != nil {
		t.Errorf("Equal = %v, %v, want another size", same, err)
	}
}
