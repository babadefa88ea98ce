// Package arch pins the project's structure: which package may import which,
// and what a program that starts once per connection or message may link.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := testprog.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// golist runs go list in the source tree.
func golist(t *testing.T, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Fields(string(out))
}

// Direct imports, without those of tests.
func TestOnlyImporters(t *testing.T) {
	for _, tt := range []struct {
		imported string
		by       []string
	}{
		{"github.com/emersion/go-msgauth/dkim", []string{"ucspi-go/qmaildkim"}},
		{"github.com/colinmarc/cdb", []string{"ucspi-go/rules"}},
		{"crypto/tls", []string{"ucspi-go/internal/qmailremote", "ucspi-go/internal/smtpsink"}},
		{"net/smtp", nil}, // internal/smtp is the client, also of tests
		{"net/textproto", nil},
		{"github.com/rogpeppe/go-internal/testscript", []string{"ucspi-go/internal/testprog"}},
	} {
		format := `{{$p := .ImportPath}}{{range .Imports}}{{if eq . "` + tt.imported + `"}}{{$p}} {{end}}{{end}}`
		for _, p := range golist(t, "-f", format, "./...") {
			if !slices.Contains(tt.by, p) {
				t.Errorf("%s imports %s, which only %v may", p, tt.imported, tt.by)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	for _, tt := range []struct {
		pkg       string
		forbidden *regexp.Regexp
	}{
		{"./rules", regexp.MustCompile(`^ucspi-go/(internal|tcpserver|qmaildkim|tcprules)`)},
		{"./tcpserver", regexp.MustCompile(`^(ucspi-go/qmaildkim.*|net|os/exec|crypto/.*|encoding/json|log|log/slog|regexp|flag)$`)},
		{"./qmaildkim", regexp.MustCompile(`^(ucspi-go/tcpserver.*|net/http|crypto/tls|log/slog)$`)},
		{"./internal/qmailremote", regexp.MustCompile(`^(net/http|log/slog|regexp|os/exec|flag)$`)},
		{"./internal/dns", regexp.MustCompile(`^(net|net/http|crypto/tls)$`)},
	} {
		forbid(t, tt.pkg, tt.forbidden)
	}
}

// Programs that start once for each connection or message start with little:
// all but these, of which some are for people, others sign, and qmail-remote has
// STARTTLS, which costs it 0.3 ms of a start that a connection to another host
// follows.
func TestProgramsStartWithLittle(t *testing.T) {
	others := []string{"./cmd/tcpserver", "./cmd/qmail-dkim", "./cmd/domainkey", "./cmd/dknewkey", "./cmd/dkim", "./cmd/dkimreport", "./cmd/mailpath", "./cmd/qmail-remote", "./cmd/tcpruleslint"}
	forbidden := regexp.MustCompile(`^(net|net/http|crypto/.*|fmt|regexp|flag|log|os/exec)$`)
	mains, err := filepath.Glob(filepath.Join(root(t), "cmd", "*"))
	if err != nil || len(mains) <= len(others) {
		t.Fatalf("programs %q, %v", mains, err)
	}
	for _, main := range mains {
		if pkg := "./cmd/" + filepath.Base(main); !slices.Contains(others, pkg) {
			forbid(t, pkg, forbidden)
		}
	}
}

func forbid(t *testing.T, pkg string, forbidden *regexp.Regexp) {
	t.Helper()
	for _, dep := range golist(t, "-deps", pkg) {
		if forbidden.MatchString(dep) {
			t.Errorf("%s links %s", pkg, dep)
		}
	}
}

// Only prog touches the process itself, and a signal handler that must end it.
func TestOnlyProgTouchesTheProcess(t *testing.T) {
	call := regexp.MustCompile(`\bos\.(Args|Exit|Getenv|LookupEnv|Environ|Stdin|Stdout|Stderr)\b`)
	eachSource(t, func(path string, src []byte) {
		dir := filepath.Dir(path)
		if dir == "internal/prog" || path == "internal/qmail/signals.go" || dir == "internal/testprog" || dir == "internal/site" || strings.HasPrefix(dir, "internal/bench") {
			return
		}
		if m := call.Find(src); m != nil {
			t.Errorf("%s uses %s; take it from prog.Env", path, m)
		}
	})
}

func TestExportedNamesAreDocumented(t *testing.T) {
	eachSource(t, func(path string, src []byte) {
		f, err := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s has no doc comment", path, name)
			}
		}
	})
}

func undocumented(d ast.Decl) []string {
	var out []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || receiverExported(d) && !ofInterface[d.Name.Name]) {
			out = append(out, d.Name.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					out = append(out, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						out = append(out, n.Name)
					}
				}
			}
		}
	}
	return out
}

// ofInterface are methods whose names say all.
var ofInterface = map[string]bool{"Error": true, "Unwrap": true}

func receiverExported(d *ast.FuncDecl) bool {
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

// Every program has a main of one call with a comment that says what it does.
func TestMainsAreThin(t *testing.T) {
	dir := root(t)
	mains, err := filepath.Glob(filepath.Join(dir, "cmd", "*", "*.go"))
	if err != nil || len(mains) == 0 {
		t.Fatalf("no programs: %v", err)
	}
	for _, path := range mains {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if f.Doc == nil {
			t.Errorf("%s: no comment", path)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && (fn.Name.Name != "main" || len(fn.Body.List) != 1) {
				t.Errorf("%s: a main is one call", path)
			}
		}
	}
}

// eachSource calls f for every Go file that is not a test, as eachFile does.
func eachSource(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	eachFile(t, func(path string, src []byte) {
		if !strings.HasSuffix(path, "_test.go") {
			f(path, src)
		}
	})
}

// eachFile calls f for every Go file, with its path from the top of the tree.
func eachFile(t *testing.T, f func(path string, src []byte)) {
	t.Helper()
	top := os.DirFS(root(t))
	err := fs.WalkDir(top, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		src, err := fs.ReadFile(top, path)
		if err == nil {
			f(path, src)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
