package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

// output runs the program in the top of the tree.
func output(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	root, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	var out, errs strings.Builder
	env := &prog.Env{Name: "release", Argv0: "release", Args: args, Stdout: &out, Stderr: &errs}
	code = prog.Report(env, run(context.Background(), env))
	return out.String(), errs.String(), code
}

// The bill of materials has each program's checksum, and the modules that
// "go version -m" finds in it, each listed once.
func TestBOM(t *testing.T) {
	bin := testprog.Dir(t)
	args := []string{"-b", bin, "-v", "1.2", "-t", "1000000000", "bom"}
	text, stderr, code := output(t, args...)
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	if again, _, _ := output(t, args...); again != text {
		t.Error("the second run wrote something else")
	}
	var b bom
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		t.Fatal(err)
	}
	if m := b.Metadata; m.Timestamp != "2001-09-09T01:46:40Z" || m.Component.Version != "1.2" || b.SpecVersion != "1.6" {
		t.Errorf("metadata %+v", m)
	}
	components := make(map[string]component)
	for _, c := range b.Components {
		if _, twice := components[c.Ref]; twice || len(c.Licences) != 1 {
			t.Errorf("%s: twice: %v, licences %v", c.Ref, twice, c.Licences)
		}
		components[c.Ref] = c
	}
	uses := make(map[string][]string)
	for _, d := range b.Dependencies {
		uses[d.Ref] = d.DependsOn
	}
	files, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	if len(uses["ucspi-go"]) != len(files) {
		t.Errorf("the whole depends on %q, which are not the %d programs", uses["ucspi-go"], len(files))
	}
	for _, f := range files {
		want := linkedWith(t, filepath.Join(bin, f.Name()))
		ref := "program:" + f.Name()
		if c := components[ref]; len(c.Hashes) != 1 || c.Hashes[0].Content != sha256Hex(t, filepath.Join(bin, f.Name())) {
			t.Errorf("%s: %v", f.Name(), c.Hashes)
		}
		if got := uses[ref]; !slices.Equal(got, want) {
			t.Errorf("%s: linked with %q, want %q", f.Name(), got, want)
		}
		for _, m := range want {
			if c := components[m]; c.Type != "library" || c.Purl != m {
				t.Errorf("%s: no component %s", f.Name(), m)
			}
		}
	}
}

func sha256Hex(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// linkedWith returns what "go version -m" finds in a program, in order.
func linkedWith(t *testing.T, path string) []string {
	t.Helper()
	info, err := exec.Command("go", "version", "-m", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	list := []string{"pkg:golang/std@" + strings.TrimPrefix(runtime.Version(), "go")}
	for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)\t`).FindAllSubmatch(info, -1) {
		list = append(list, "pkg:golang/"+string(m[1])+"@"+string(m[2]))
	}
	slices.Sort(list)
	return list
}

// The copyright file has the text of each licence, as it is where the module
// is compiled from.
func TestCopyright(t *testing.T) {
	text, stderr, code := output(t, "-b", testprog.Dir(t), "copyright")
	if code != 0 {
		t.Fatalf("exit %d, %s", code, stderr)
	}
	for path, id := range licences {
		_, part, found := strings.Cut(text, "\nFiles: "+path+"/*\n")
		part, _, _ = strings.Cut(part, "\nFiles: ")
		if !found || !strings.Contains(part, "\nLicense: "+id+"\n") {
			t.Errorf("%s has no licence %s: %q", path, id, part)
		}
		// Words that only this licence has.
		sign := map[string]string{"MIT": "without restriction, including", "BSD-3-Clause": "Redistributions in binary form"}[id]
		if !strings.Contains(part, sign) || !regexp.MustCompile(`(?m)^Copyright:\n 20\d\d \w`).MatchString(part) {
			t.Errorf("%s: %q", path, part)
		}
	}
	if !strings.Contains(text, "\nFiles: *\nCopyright:\n 2026 the ucspi-go authors\nLicense: ISC\n") {
		t.Errorf("the project's own licence is missing:\n%s", text)
	}
}

func TestErrors(t *testing.T) {
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "script"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"-b", t.TempDir(), "bom"}, "no programs in", 111},
		{[]string{"-b", foreign, "bom"}, "script", 111},
		{[]string{"-t", "noon", "bom"}, "-t takes seconds", 100},
		{[]string{"-b", testprog.Dir(t), "all"}, "no all", 100},
		{nil, "release: usage: release", 100},
	} {
		if stdout, stderr, code := output(t, tt.args...); code != tt.code || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: exit %d, %q %q; want %d, %q", tt.args, code, stdout, stderr, tt.code, tt.want)
		}
	}
}

// A module without a known licence stops the release.
func TestUnknownLicence(t *testing.T) {
	known := licences["golang.org/x/sys"]
	delete(licences, "golang.org/x/sys")
	defer func() { licences["golang.org/x/sys"] = known }()
	_, stderr, code := output(t, "-b", testprog.Dir(t), "bom")
	if code != 111 || !strings.Contains(stderr, "no licence is known for golang.org/x/sys") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}
