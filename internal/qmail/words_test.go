package qmail

import (
	"io"
	"maps"
	"os"
	"testing"

	"ucspi-go/internal/prog"
)

// Which descriptors are told, and with what code the program exits then. The
// letters of open are what is open as descriptor 4, 6 and 7: a writable pipe p,
// or q, the reading end of one r, a file f, nothing -.
func TestRefuse(t *testing.T) {
	t.Parallel()
	const words = "Zno (#4.3.0)"
	for _, tt := range []struct{ name, setting, open, told string }{
		{"nobody reads", "", "---", ""},
		{"notqmail", "", "-p-", "p"},
		{"sagredo", "", "p--", "p"},
		{"two callers", "", "pq-", "pq"},
		{"one pipe on both", "", "pp-", "p"},
		{"no pipes", "", "fr-", ""},
		{"named", "ERROR_FD=7", "pqf", "f"},
		{"named, closed", "ERROR_FD=7", "pq-", ""},
		{"named badly", "ERROR_FD=x", "p--", ""},
		{"named as none", "ERROR_FD=", "p--", ""},
		{"named below 0", "ERROR_FD=-1", "p--", ""},
		{"named beyond reason", "ERROR_FD=99999999999999999999", "p--", ""},
	} {
		ends := map[byte]*os.File{'f': file(t)}
		readers := map[byte]*os.File{'f': ends['f']}
		for _, c := range []byte("pqr") {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			ends[c], readers[c] = w, r
		}
		writers := maps.Clone(ends)
		ends['r'] = readers['r']
		env := &prog.Env{Environ: []string{tt.setting}, Fd: func(n int) *os.File {
			switch n {
			case 4, 6:
				return ends[tt.open[n/2-2]]
			case 7:
				return ends[tt.open[2]]
			}
			return nil
		}}
		want := Temporary
		if tt.told != "" {
			want = Custom
		}
		if got := Refuse(env, words, Temporary); got != want {
			t.Errorf("%s: code %d, want %d", tt.name, got, want)
		}
		told := ""
		for _, c := range []byte("pqrf") {
			if c == 'f' {
				readers[c].Seek(0, io.SeekStart)
			} else {
				writers[c].Close()
			}
			switch got, _ := io.ReadAll(readers[c]); string(got) {
			case "":
			case words:
				told += string(c)
			default:
				t.Errorf("%s: %q", tt.name, got)
			}
		}
		if told != tt.told {
			t.Errorf("%s: told %q, want %q", tt.name, told, tt.told)
		}
	}
}

func file(t *testing.T) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
