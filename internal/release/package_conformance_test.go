//go:build conformance

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"ucspi-go/internal/testprog"
)

// packages returns the folder of packages that $UCSPI_GO_DIST names, else one
// that is made once, with the fastest compression, from a copy of the tree.
func packages(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("UCSPI_GO_DIST"); dir != "" {
		return dir
	}
	for _, tool := range []string{"dpkg-deb", "xz", "git"} {
		testprog.Peer(t, tool)
	}
	dir, err := made()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// made makes the packages from a copy of the tree that is a clone of git.
var made = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "ucspi-go-dist")
	if err != nil {
		return "", err
	}
	testprog.RemoveAtEnd(dir)
	return dir + "/dist", makePackages(dir+"/tree", dir+"/dist", `umask 077
		git init -q
		git add .
		GIT_AUTHOR_DATE="@$1" GIT_COMMITTER_DATE="@$1" git -c user.name=x -c user.email=x@example.com commit -qm x
		touch CHANGES.md`)
})

// commit is the time that the tests' packages bear, in seconds.
const commit = "1700000000"

// makePackages copies the tree to a folder, without what git keeps and make
// makes, and makes its packages after the shell commands of prepare.
func makePackages(tree, dist, prepare string) error {
	root, err := testprog.Root()
	if err != nil {
		return err
	}
	script := `mkdir -p "$2"
		for name in .ci *; do case $name in bin | dist) ;; *) cp -R "$name" "$2" ;; esac done
		cd "$2"
		` + prepare + `
		internal/release/package "$3"`
	cmd := exec.Command("sh", "-ec", script, "sh", commit, tree, dist)
	cmd.Dir, cmd.Env = root, append(os.Environ(), "SOURCE_DATE_EPOCH=", "VERSION=", "ARCHES=", "XZ_LEVEL=0", "GIT_CONFIG_GLOBAL=/dev/null", "GOFLAGS=-buildvcs=auto")
	if out, err := cmd.CombinedOutput(); err != nil {
		return &packageError{err, string(out)}
	}
	return nil
}

type packageError struct {
	err error
	out string
}

func (e *packageError) Error() string { return "package: " + e.err.Error() + "\n" + e.out }

// Another folder, time, modes, number of processors, and an archive with the
// commit's time instead of git: the same bytes, in which the folder is not
// named. Only one of the two .deb's: the script does the same for both.
func TestConformancePackagesAreReproducible(t *testing.T) {
	first := packages(t)
	dir := t.TempDir()
	tree, second := filepath.Join(dir, "elsewhere", "tree"), filepath.Join(dir, "second")
	if err := makePackages(tree, second, `umask 000
		chmod -R go-rwx .
		touch -d "@$1" CHANGES.md
		export GOMAXPROCS=1 ARCHES=amd64`); err != nil {
		t.Fatal(err)
	}
	want, got := contents(t, first), contents(t, second)
	if len(want) != 7 || len(got) != 4 {
		t.Errorf("%d and %d files, want a .deb, a tarball and a bill of materials for each processor, and checksums", len(want), len(got))
	}
	for name := range got {
		if name != "SHA256SUMS" && !bytes.Equal(got[name], want[name]) {
			t.Errorf("%s: %d bytes, then %d or others", name, len(want[name]), len(got[name]))
		}
		if name != "SHA256SUMS" && !bytes.Contains(want["SHA256SUMS"], []byte("  "+name+"\n")) {
			t.Errorf("%s is not in SHA256SUMS", name)
		}
	}
	check := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	check.Dir = first
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v %s", err, out)
	}
	bin := filepath.Join(unpack(t, second, "amd64"), "bin")
	for name, program := range contents(t, bin) {
		if bytes.Contains(program, []byte(tree)) {
			t.Errorf("%s names the folder it was built in", name)
		}
	}
}

// contents returns the files of a folder.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// one returns the only file of dist that a pattern names.
func one(t *testing.T, dist, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v", pattern, found, err)
	}
	return found[0]
}

// unpack unpacks a tarball and returns its top folder.
func unpack(t *testing.T, dist, arch string) string {
	t.Helper()
	dir, tarball := t.TempDir(), one(t, dist, "*-linux-"+arch+".tar.xz")
	if out, err := exec.Command("tar", "-xJf", tarball, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v %s", err, out)
	}
	return one(t, dir, strings.TrimSuffix(filepath.Base(tarball), ".tar.xz"))
}

// A tarball is one folder that says what it is; the programs of the other
// processor do as those of this one.
func TestConformanceTarballs(t *testing.T) {
	emulator := testprog.Peer(t, "qemu-aarch64-static")
	dist := packages(t)
	amd64, arm64 := unpack(t, dist, "amd64"), unpack(t, dist, "arm64")
	programs := contents(t, testprog.Dir(t))
	for _, top := range []string{amd64, arm64} {
		for _, name := range []string{"LICENSE", "README.md", "CHANGES.md", "copyright", "ucspi-go.cdx.json", "docs/differences.md"} {
			if _, err := os.Stat(filepath.Join(top, name)); err != nil {
				t.Error(err)
			}
		}
		if got := contents(t, filepath.Join(top, "bin")); len(got) != len(programs) {
			t.Errorf("%s: %d programs, want %d", top, len(got), len(programs))
		}
		err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err == nil && (info.Mode()&0o022 != 0 || info.ModTime().Unix()%1e9 != 700000000 && os.Getenv("UCSPI_GO_DIST") == "") {
				t.Errorf("%s: %v, %v", path, info.Mode(), info.ModTime())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}

	dir := t.TempDir()
	rules := filepath.Join(dir, "rules")
	if err := os.WriteFile(rules, []byte("10.:allow,RELAYCLIENT=\"\"\n:deny\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(words ...string) string {
		cmd := exec.Command("sh", append([]string{"-c", `"$@" <"$0"; echo $?`, rules}, words...)...)
		cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "QMAILHOME=" + dir, "TCPREMOTEIP=10.1.2.3"}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%q: %v", words, err)
		}
		return string(out)
	}
	for _, command := range [][]string{{"tcprules", "cdb", "tmp"}, {"tcprulescheck", "cdb"}, {"tcpruleslint"}, {"domainkey", "-?"}, {"dkim", "-v"}, {"tcpserver"}, {"argv0", "/bin/echo", "echo", "hello"}} {
		name, args := filepath.Join("bin", command[0]), command[1:]
		want := run(slices.Insert(args, 0, filepath.Join(amd64, name))...)
		if got := run(slices.Insert(slices.Clone(args), 0, emulator, filepath.Join(arm64, name))...); got != want {
			t.Errorf("%q: %q, on amd64 %q", command, got, want)
		}
	}
}

// The version is that of CHANGES.md; after a release it has the time too.
func TestConformancePackageVersion(t *testing.T) {
	testprog.Peer(t, "git")
	for _, tt := range []struct {
		changes string
		want    string
	}{
		{"# Changes\n\n## Unreleased\n\n- x\n", "0+20231114.221320 1700000000"},
		{"# Changes\n\n## 1.2 (2026-11-24)\n\n- x\n\n## 1.1\n", "1.2 1700000000"},
		{"# Changes\n\n## Unreleased\n\n- y\n\n## 1.2\n", "1.2+20231114.221320 1700000000"},
	} {
		dir := t.TempDir()
		script := `
			mkdir -p "$1/internal/release" && cp package "$1/internal/release/" && cd "$1" && printf %s "$2" >CHANGES.md
			touch -d "@$3" CHANGES.md && internal/release/package -n
			export GIT_AUTHOR_DATE="@$3" GIT_COMMITTER_DATE="@$3"
			git init -q && git add . && git -c user.name=x -c user.email=x@example.com commit -qm x && touch -d @1 CHANGES.md
			internal/release/package -n
			SOURCE_DATE_EPOCH=1000000000 VERSION=9 internal/release/package -n
			echo >>CHANGES.md && internal/release/package -n`
		cmd := exec.Command("sh", "-ec", script, "sh", dir, tt.changes, commit)
		cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH=", "VERSION=", "GIT_CONFIG_GLOBAL=/dev/null")
		out, err := cmd.CombinedOutput()
		want := strings.Join([]string{tt.want, tt.want, "9 1000000000", "package: warning: the tree is not that of the last commit, whose time the packages bear", tt.want, ""}, "\n")
		if err != nil || string(out) != want {
			t.Errorf("%q: %v\n%s\nwant\n%s", tt.changes, err, out, want)
		}
	}
}
