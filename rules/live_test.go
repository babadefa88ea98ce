package rules_test

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"ucspi-go/rules"
)

// replace puts data at name as tcprules does.
func replace(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name+".tmp", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		t.Fatal(err)
	}
}

func TestLiveFollowsPath(t *testing.T) {
	t.Parallel()
	name := write(t, compile(t, ":deny\n"))
	live := rules.NewLive(name)
	defer live.Close()
	deny := func() (bool, error) {
		d, err := live.Lookup(rules.Client{IP: "1.2.3.4"})
		return d.Deny, err
	}
	if got, err := deny(); err != nil || !got {
		t.Fatalf("at first: %t, %v, want denied", got, err)
	}
	replace(t, name, compile(t, ":allow\n"))
	if got, err := deny(); err != nil || got {
		t.Errorf("after a rename: %t, %v, want allowed", got, err)
	}
	// In place, the same size, at once.
	for i := range 100 {
		text := ":deny\n4.:allow,A='xx'\n"
		if i%2 == 1 {
			text = "1.2.3.4:allow,A=''\n"
		}
		if err := os.WriteFile(name, compile(t, text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := deny(); err != nil || got != (i%2 == 0) {
			t.Fatalf("after write %d in place: %t, %v", i, got, err)
		}
	}
	if err := os.WriteFile(name, []byte("damaged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := deny(); !errors.Is(err, rules.ErrCorrupt) {
		t.Errorf("a damaged file: %v, want ErrCorrupt", err)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := deny(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v, want ErrNotExist", err)
	}
	replace(t, name, compile(t, ":deny\n"))
	if got, err := deny(); err != nil || !got {
		t.Errorf("repaired: %t, %v, want denied", got, err)
	}
	if n, inherited := descriptors(t, name); n != 1 || inherited != 0 {
		t.Errorf("%d descriptors, %d inherited, want 1 and 0", n, inherited)
	}
}

// TestLiveKeepsFileOpen: a file is opened once, unless it is so new that its
// times cannot be relied on.
func TestLiveKeepsFileOpen(t *testing.T) {
	t.Parallel()
	for _, settled := range []bool{false, true} {
		live := rules.NewLive(write(t, compile(t, ":deny\n")))
		defer live.Close()
		if settled {
			live.Settle()
		}
		var dbs [2]*rules.DB
		for i := range dbs {
			if d, err := live.Lookup(rules.Client{IP: "1.2.3.4"}); err != nil || !d.Deny {
				t.Errorf("Lookup = %+v, %v, want denied", d, err)
			}
			dbs[i] = live.Current()
		}
		if same := dbs[0] == dbs[1]; same != settled {
			t.Errorf("settled %t: same database %t", settled, same)
		}
	}
}

// TestLiveUnderLoad replaces the database while clients are looked up: each
// gets one of the two, whole, and what is there after the last is the last.
func TestLiveUnderLoad(t *testing.T) {
	t.Parallel()
	name := write(t, compile(t, "10.:allow,GENERATION=\"0\"\n"))
	live := rules.NewLive(name)
	live.Settle()
	defer live.Close()
	var done atomic.Bool
	var newest atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !done.Load() {
				before := newest.Load()
				d, err := live.Lookup(rules.Client{IP: "10.1.2.3"})
				if err != nil || len(d.Env) != 1 {
					t.Errorf("Lookup = %+v, %v", d, err)
					return
				}
				if got, _ := strconv.ParseInt(d.Env[0].Value, 10, 64); got < before {
					t.Errorf("generation %d, but %d was there before the lookup", got, before)
					return
				}
			}
		})
	}
	for i := int64(1); i <= 300; i++ {
		text := "10.:allow,GENERATION=\"" + strconv.FormatInt(i, 10) + "\"\n"
		replace(t, name, compile(t, text))
		newest.Store(i)
	}
	done.Store(true)
	wg.Wait()
}
