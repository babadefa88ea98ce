package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sets follows the file of the last lookup, wherever in it the setting stands.
func TestLiveSets(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "rules.cdb")
	put := func(text string) {
		t.Helper()
		f, err := os.Create(name + ".tmp")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := CompileText(strings.NewReader(text), f); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(f.Name(), name); err != nil {
			t.Fatal(err)
		}
	}
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "10.0.%d.%d:allow,A=\"x\"\n", i>>8, i&255)
		}
		return b.String()
	}
	l, other := NewLive(name), NewLive(name)
	defer l.Close()
	defer other.Close()
	l.Watch("PROXIES")
	for _, tt := range []struct {
		text string
		want bool
	}{
		{":allow\n", false},
		{":allow,PROXIES=\"\"\n", true},
		{":allow,PROXIES2=\"\",PROXIE=\"\",P=\"PROXIES=\"\n", false},
		{many(5000) + "1.:allow,B=\"\",PROXIES=\"1\"\n", true},
		{many(5000), false},
	} {
		put(tt.text)
		for _, l := range []*Live{l, other} {
			if _, err := l.Lookup(Client{IP: "1.2.3.4"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.Sets(); got != tt.want {
			t.Errorf("Sets() = %v with %.60q", got, tt.text)
		}
		if other.Sets() {
			t.Error("what nobody watches is set")
		}
	}
}

// A setting is found when it lies across what is read at a time.
func TestMentionsAcrossPieces(t *testing.T) {
	t.Parallel()
	const text = "+NAME="
	for shift := range len(text) + 2 {
		data := strings.Repeat("x", indexSize+64<<10-shift) + text
		db := &DB{r: strings.NewReader(data), size: int64(len(data))}
		if found, err := db.mentions(text); !found || err != nil {
			t.Errorf("%d before the end of a piece: %v, %v", shift, found, err)
		}
		db.size--
		if found, err := db.mentions(text); found || err != nil {
			t.Errorf("%d before the end of a piece, cut: %v, %v", shift, found, err)
		}
	}
}
