package argv0_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

// Of a name that is there twice the program gets the first entry, which is the
// one that getenv finds, and no entry that is empty: the Go runtime hides the
// others.
func TestEnvironTwice(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p, err := os.StartProcess(filepath.Join(testprog.Dir(t), "argv0"), []string{"argv0", "/usr/bin/env", "env"},
		&os.ProcAttr{Env: []string{"A=1", "", "B=2", "A=3", "novalue"}, Files: []*os.File{nil, w, w}})
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	out, err := io.ReadAll(r)
	if state, waitErr := p.Wait(); err != nil || waitErr != nil || !state.Success() {
		t.Fatal(err, waitErr, state)
	}
	if string(out) != "A=1\nB=2\nnovalue\n" {
		t.Errorf("environment %q", out)
	}
}
