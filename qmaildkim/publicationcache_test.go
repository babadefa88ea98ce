package qmaildkim

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var cacheClock = time.Unix(1_800_000_000, 0)

// testCache returns a cache in a folder of its own, and the path of its file.
func testCache(t testing.TB) (*publicationCache, string) {
	c := newPublicationCache(t.TempDir())
	c.now = func() time.Time { return cacheClock }
	return c, filepath.Join(c.folder, cacheFile)
}

func entryOf(name string, kept time.Duration) cacheEntry {
	return cacheEntry{name: name, key: strings.Repeat("0a", 16), state: PublishedMatch, kept: kept}
}

// ask returns the state of a name.
func (c *publicationCache) ask(name string) (string, error) {
	entries := []cacheEntry{{name: name, key: entryOf(name, 0).key}}
	err := c.fill(entries)
	return entries[0].state, err
}

func TestCacheFile(t *testing.T) {
	t.Parallel()
	c, file := testCache(t)
	if state, err := c.ask("a"); state != "" || err != nil {
		t.Errorf("before there is a file: %q, %v", state, err)
	}
	if err := c.store([]cacheEntry{entryOf("a", time.Hour), entryOf("b", time.Minute)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if state, err := c.ask(name); state != PublishedMatch || err != nil {
			t.Errorf("%s: %q, %v", name, state, err)
		}
	}
	data, err := os.ReadFile(file)
	want := cacheHead + "1800003600 match 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a a\n1800000060 match 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a b\n"
	if err != nil || string(data) != want {
		t.Errorf("file %q, %v; want %q", data, err, want)
	}
	if st, err := os.Stat(file); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if names, _ := filepath.Glob(c.folder + "/*"); len(names) != 1 {
		t.Errorf("files %q", names)
	}
}

// What others could have made, or what is no such file, is not believed, and
// replaced where that is possible.
func TestCacheDistrusts(t *testing.T) {
	t.Parallel()
	const line = "1800003600 match 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a a\n"
	write := func(text string, mode os.FileMode) func(t *testing.T, file string) {
		return func(t *testing.T, file string) {
			if err := errors.Join(os.WriteFile(file, []byte(text), 0o600), os.Chmod(file, mode)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tt := range []struct {
		name  string
		make  func(t *testing.T, file string)
		mends bool
	}{
		{"writable by the group", write(cacheHead+line, 0o620), true},
		{"writable by others", write(cacheHead+line, 0o602), true},
		{"empty", write("", 0o600), true},
		{"other version", write("qmail-dkim preflight 2\n"+line, 0o600), true},
		{"rubbish at the end", write(cacheHead+line+"x\n", 0o600), true},
		{"cut", write(cacheHead+line[:len(line)-1], 0o600), true},
		{"zeros", write(strings.Repeat("\x00", 4096), 0o600), true},
		{"too long", write(cacheHead+line+strings.Repeat(line, maxCache/len(line)), 0o600), true},
		{"a link", func(t *testing.T, file string) {
			write(cacheHead+line, 0o600)(t, file+".other")
			if err := os.Symlink(cacheFile+".other", file); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"a FIFO", func(t *testing.T, file string) {
			if err := unix.Mkfifo(file, 0o600); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"another user's", func(t *testing.T, file string) {
			write(cacheHead+line, 0o600)(t, file)
			if err := os.Chown(file, 65533, -1); err != nil {
				t.Skip(err)
			}
		}, true},
		{"a folder", func(t *testing.T, file string) {
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a link as the temporary file", func(t *testing.T, file string) {
			write("untouched", 0o600)(t, file+".other")
			if err := os.Symlink(cacheFile+".other", filepath.Join(filepath.Dir(file), cacheTemp)); err != nil {
				t.Fatal(err)
			}
			write("rubbish", 0o600)(t, file)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, file := testCache(t)
			if err := os.Mkdir(c.folder, 0o700); err != nil {
				t.Fatal(err)
			}
			tt.make(t, file)
			beside, _ := os.ReadFile(file + ".other")
			if state, err := c.ask("a"); state != "" || err == nil {
				t.Errorf("believed: %q, %v", state, err)
			}
			err := c.store([]cacheEntry{entryOf("b", time.Hour)})
			state, _ := c.ask("b")
			if (err == nil) != tt.mends || (state == PublishedMatch) != tt.mends {
				t.Errorf("afterwards %q, %v", state, err)
			}
			if state, _ := c.ask("a"); state != "" {
				t.Errorf("believed afterwards: %q", state)
			}
			if now, _ := os.ReadFile(file + ".other"); !bytes.Equal(now, beside) {
				t.Error("the target of a link was changed")
			}
		})
	}
}

// A folder that is not this user's alone is left alone.
func TestCacheFolder(t *testing.T) {
	t.Parallel()
	c, file := testCache(t)
	if err := errors.Join(os.Mkdir(c.folder, 0o700), os.Chmod(c.folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(cacheHead+"1800003600 match 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if state, err := c.ask("a"); state != "" || err != unix.EPERM {
		t.Errorf("%q, %v", state, err)
	}
	if err := c.store([]cacheEntry{entryOf("b", time.Hour)}); err != unix.EPERM {
		t.Errorf("store: %v", err)
	}
}

// A folder in which nothing can be made is an error and keeps what it has.
func TestCacheUnwritable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root writes everywhere; the script has a limit on files instead")
	}
	c, _ := testCache(t)
	if err := c.store([]cacheEntry{entryOf("a", time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(c.folder, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(c.folder, 0o700) // so that it can be removed
	if err := c.store([]cacheEntry{entryOf("b", time.Hour)}); err != unix.EACCES {
		t.Errorf("store: %v", err)
	}
	if state, err := c.ask("a"); state != PublishedMatch || err != nil {
		t.Errorf("%q, %v", state, err)
	}
}

// The file is bounded: what lasts longest stays, and what is over goes first.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c, file := testCache(t)
	long := strings.Repeat("x", 200)
	for round := range 3 {
		var entries []cacheEntry
		for i := range 400 {
			entries = append(entries, entryOf(fmt.Sprintf("%d-%d.%s", round, i, long), time.Minute))
		}
		if err := c.store(append(entries, entryOf(fmt.Sprint("hour", round), time.Hour))); err != nil {
			t.Fatal(err)
		}
	}
	if st, err := os.Stat(file); err != nil || st.Size() > maxCache || st.Size() < maxCache*9/10 {
		t.Errorf("%d bytes, %v; want about %d", st.Size(), err, maxCache)
	}
	for round := range 3 {
		if state, err := c.ask(fmt.Sprint("hour", round)); state == "" || err != nil {
			t.Errorf("hour%d is gone: %v", round, err)
		}
	}
	c.now = func() time.Time { return cacheClock.Add(2 * time.Hour) }
	if err := c.store([]cacheEntry{entryOf("last", time.Hour)}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil || bytes.Count(data, []byte("\n")) != 2 {
		t.Errorf("what is over stays: %v, %d bytes", err, len(data))
	}
}

// Processes that read and store at the same time never see a half file, and
// nobody waits for a process that has the lock and does not go on.
func TestCacheAtOnce(t *testing.T) {
	t.Parallel()
	c, _ := testCache(t)
	if err := c.store([]cacheEntry{entryOf("a", 2*time.Hour)}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			for j := range 20 {
				if err := c.store([]cacheEntry{entryOf(fmt.Sprint(i, ".", j), time.Hour)}); err != nil {
					t.Errorf("store: %v", err)
				}
				if state, err := c.ask("a"); state != PublishedMatch || err != nil {
					t.Errorf("%q, %v", state, err)
				}
			}
		})
	}
	all.Wait()
	folder, err := os.Open(c.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := c.store([]cacheEntry{entryOf("late", time.Hour)}); err != nil {
		t.Errorf("while another stores: %v", err)
	}
	if state, err := c.ask("late"); state != "" || err != nil {
		t.Errorf("stored without the lock: %q, %v", state, err)
	}
}

func FuzzParseCache(f *testing.F) {
	line := "1800003600 match " + strings.Repeat("0a", 16) + " default._domainkey.example.com\n"
	for _, seed := range []string{"", cacheHead, cacheHead + line, cacheHead + line + strings.Replace(line, "match", "temporary", 1), cacheHead + "-1" + line, cacheHead + line + "x", line} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, ok := parseCache(data)
		if !ok {
			if entries != nil {
				t.Fatalf("%d entries of a damaged file", len(entries))
			}
			return
		}
		if 40*len(entries) > maxCache {
			t.Fatalf("%d entries", len(entries))
		}
		again := formatCache(entries)
		back, ok := parseCache(again)
		if !ok || len(back) > len(entries) || !bytes.Equal(formatCache(back), again) {
			t.Fatalf("parsed from %q, formatted as %q, which is not read so", data, again)
		}
	})
}
