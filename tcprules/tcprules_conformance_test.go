//go:build conformance

package tcprules_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"ucspi-go/internal/testprog"
)

// workers is how many pairs of programs run at a time.
const workers = 4

// TestConformanceTcprules compares files, messages and exit codes over
// generated rules.
func TestConformanceTcprules(t *testing.T) {
	theirs, ours := testprog.Peer(t, "tcprules"), filepath.Join(testprog.Dir(t), "tcprules")
	good := inParallel(3000, func(seed uint64, dir string) (bool, error) {
		text := newGenerator(seed).file()
		want, err := compileWith(theirs, dir, text)
		if err != nil {
			return false, err
		}
		got, err := compileWith(ours, dir, text)
		if err == nil && got != want {
			err = fmt.Errorf("ours: %v\nC:    %v\nrules: %q", got, want, text)
		}
		return want.code == 0, err
	}, t)
	if good < 1000 || good > 2900 {
		t.Errorf("%d of 3000 files compile, which is too one-sided to mean much", good)
	}
}

// TestConformanceTcprulescheck compares what is printed for clients that the
// generated rules are about.
func TestConformanceTcprulescheck(t *testing.T) {
	compiler := testprog.Peer(t, "tcprules")
	theirs, ours := testprog.Peer(t, "tcprulescheck"), filepath.Join(testprog.Dir(t), "tcprulescheck")
	matched := inParallel(2000, func(seed uint64, dir string) (bool, error) {
		g := newGenerator(seed + 1e6)
		text := g.file()
		if made, err := compileWith(compiler, dir, text); err != nil || made.code != 0 {
			return false, err
		}
		found := false
		for range 3 {
			env := g.client(text)
			want, err := run(theirs, dir, env, nil, "rules.cdb")
			if err != nil {
				return false, err
			}
			got, err := run(ours, dir, env, nil, "rules.cdb")
			if err != nil {
				return false, err
			}
			if got != want {
				return false, fmt.Errorf("ours: %v\nC:    %v\nclient: %q\nrules: %q", got, want, env, text)
			}
			found = found || want.stdout != "default:\nallow connection\n"
		}
		return found, nil
	}, t)
	if matched < 500 {
		t.Errorf("only %d of 2000 files have a rule for one of their clients", matched)
	}
}

// inParallel calls compare with n seeds, each call in a folder of its own,
// and counts how often it returned true.
func inParallel(n uint64, compare func(seed uint64, dir string) (bool, error), t *testing.T) (count int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	seeds := make(chan uint64)
	for range workers {
		dir := t.TempDir()
		wg.Go(func() {
			for seed := range seeds {
				yes, err := compare(seed, dir)
				mu.Lock()
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
				if yes {
					count++
				}
				mu.Unlock()
			}
		})
	}
	for seed := range n {
		seeds <- seed
	}
	close(seeds)
	wg.Wait()
	return count
}

// An outcome is all that a program leaves. The zero cdb is none.
type outcome struct {
	code           int
	stdout, stderr string
	cdb            string
	tmp            bool // TMP is still there
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d, stdout %q, stderr %q, %d bytes of cdb, TMP left %t", o.code, o.stdout, o.stderr, len(o.cdb), o.tmp)
}

func compileWith(program, dir string, text []byte) (outcome, error) {
	cdb, tmp := filepath.Join(dir, "rules.cdb"), filepath.Join(dir, "rules.tmp")
	os.Remove(cdb)
	os.Remove(tmp)
	o, err := run(program, dir, nil, text, "rules.cdb", "rules.tmp")
	if err != nil {
		return o, err
	}
	if data, err := os.ReadFile(cdb); err == nil {
		o.cdb = string(data)
	}
	_, err = os.Stat(tmp)
	o.tmp = err == nil
	return o, nil
}

func run(program, dir string, env []string, stdin []byte, args ...string) (outcome, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=/"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return outcome{}, err
	}
	return outcome{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}, nil
}
