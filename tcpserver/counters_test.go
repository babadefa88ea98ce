package tcpserver

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tally of a rules file with ever so many keys is bounded, and counts all.
func TestTally(t *testing.T) {
	t.Parallel()
	all := make(tally)
	const n = 10 * mostLabels
	for i := range n {
		all.add(strconv.Itoa(i))
		all.add("0")
	}
	sum := uint64(0)
	for _, m := range all {
		sum += m
	}
	if len(all) != mostLabels+1 || all["0"] != n+1 || all[other] != n-mostLabels || sum != 2*n {
		t.Errorf("%d labels, %d zeros, %d others, %d in all", len(all), all["0"], all[other], sum)
	}
}

// Labels tell keys apart, whatever bytes they have.
func TestVisible(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxName)
	for in, want := range map[string]string{
		"": "", "10.": "10.", "joe@=mail.example": "joe@=mail.example", `"`: `"`,
		"a b": `a\040b`, "\n\x00\xff": `\012\000\377`, `\040`: `\134040`, long: long, long + "y": long + "...",
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

var sampleLine = regexp.MustCompile(`^[a-z_]+\{listen="127\.0\.0\.1:25"(?:,[a-z]+="(?:[^"\\\n]|\\["\\n])*")*\} [0-9.e+-]+$`)

// Whatever a rule's key holds, the text is lines of the exposition format, in
// ASCII, each sample there once.
func FuzzExposition(f *testing.F) {
	f.Add("10.", "=")
	f.Add("a\"b\\c\nd", "\xff\x00é")
	f.Fuzz(func(t *testing.T, one, two string) {
		s := &Server{table: newTable(&log{}, 40, 40)}
		s.table.account = newAccount()
		s.table.account.denied.add(one)
		s.table.account.denied.add(two)
		s.table.account.end(7, syscall.WaitStatus(len(one)<<8&0xff00|len(two)&0x7f))
		c := &counters{s: s, lookups: new(lookups), listen: "127.0.0.1:25"}
		c.lookups.since(&c.lookups.ident, time.Now())
		seen := make(map[string]bool)
		for line := range strings.Lines(string(c.text())) {
			line = strings.TrimSuffix(line, "\n")
			name, _, _ := strings.Cut(line, "} ")
			if !strings.HasPrefix(line, "# HELP ") && !strings.HasPrefix(line, "# TYPE ") && (!sampleLine.MatchString(line) || seen[name]) {
				t.Fatalf("%q, there already: %v", line, seen[name])
			}
			seen[name] = true
		}
	})
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	for _, d := range []time.Duration{0, time.Millisecond, time.Millisecond + 1, time.Second, time.Minute} {
		h.add(d)
	}
	e := exposition{listen: "x"}
	e.histogram("h", "ptr", h)
	want := `h_bucket{listen="x",lookup="ptr",le="0.001"} 2
h_bucket{listen="x",lookup="ptr",le="0.01"} 3
h_bucket{listen="x",lookup="ptr",le="0.1"} 3
h_bucket{listen="x",lookup="ptr",le="1"} 4
h_bucket{listen="x",lookup="ptr",le="10"} 4
h_bucket{listen="x",lookup="ptr",le="+Inf"} 5
h_sum{listen="x",lookup="ptr"} 61.002000001
h_count{listen="x",lookup="ptr"} 5
`
	if string(e.text) != want {
		t.Errorf("got\n%swant\n%s", e.text, want)
	}
}

// Who reads the file sees a whole one, however often it is replaced, and
// everybody may, whatever the umask. What lies in the way is not written to.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name, elsewhere := filepath.Join(dir, "tcpserver.prom"), filepath.Join(dir, "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, name+".tmp"); err != nil {
		t.Fatal(err)
	}
	texts := [2][]byte{bytes.Repeat([]byte("a"), 10_000), bytes.Repeat([]byte("b"), 20_000)}
	if err := replace(name, texts[0]); err != nil {
		t.Fatal(err)
	}
	before, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	done := make(chan error)
	go func() {
		var err error
		for i := range 500 {
			err = errors.Join(err, replace(name, texts[i%2]))
		}
		done <- err
	}()
	for running := true; running; {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			running = false
		default:
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, texts[0]) && !bytes.Equal(got, texts[1]) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
	}
	if got, err := io.ReadAll(before); err != nil || !bytes.Equal(got, texts[0]) {
		t.Errorf("the file that was open has %d bytes, %v: it was written to", len(got), err)
	}
	st, err := os.Stat(name)
	kept, err2 := os.ReadFile(elsewhere)
	if _, err3 := os.Lstat(name + ".tmp"); err != nil || err2 != nil || st.Mode() != 0o644 || string(kept) != "kept" || !errors.Is(err3, fs.ErrNotExist) {
		t.Errorf("%v %v, elsewhere %q %v, temporary %v", st, err, kept, err2, err3)
	}
}
