package manual

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A function is what the project's source says of one function, or of a
// variable of a package by which functions may be reached.
type function struct {
	pkg     string
	uses    map[string]bool // functions and variables of packages, by name
	methods map[string]bool // methods called through an interface of ours: any type may have them
	reads   map[string]bool // environment variables
	sets    map[string]bool // likewise, by a rules.Var
	exits   map[string]bool // exit codes that it makes
	codes   map[string]bool // those of the queue side, if it uses them so
	isQueue bool            // exits with a qmail.Code

	operands int // how many of the command line it looks at, by ask.Operand
}

func newFunction(pkg string) *function {
	set := func() map[string]bool { return make(map[string]bool) }
	return &function{pkg, set(), set(), set(), set(), set(), set(), false, 0}
}

// source is the project's source: functions by their full names.
type source struct {
	functions map[string]*function
	mains     map[string]string   // program -> the name of its main
	imports   map[string][]string // package -> those of ours that it imports
	variables map[string]bool     // which the table of tcpruleslint has as ours
	docs      map[string]string   // main -> the comment of its package
}

var loadOnce = sync.OnceValues(load)

func loadSource(t *testing.T) *source {
	t.Helper()
	s, err := loadOnce()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ats are the programs whose names, which end in "@", no package can have.
var ats = []string{"whoat", "dateat", "fingerat", "httpat"}

// load type-checks the project, with what the go command has compiled for the
// packages of others.
func load() (*source, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	s := &source{
		functions: make(map[string]*function), mains: make(map[string]string), imports: make(map[string][]string),
		variables: make(map[string]bool), docs: make(map[string]string),
	}
	if err := s.readKnown(root); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "list", "-deps", "-export", "-f", `{{.ImportPath}}|{{.Export}}|{{.Dir}}|{{join .GoFiles ","}}|{{join .Imports ","}}`, "./cmd/...")
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	exports := make(map[string]string)
	fset := token.NewFileSet()
	compiled := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		exports[f[0]] = f[1]
		if !strings.HasPrefix(f[0], "ucspi-go/") {
			continue
		}
		s.imports[f[0]] = strings.Split(f[4], ",")
		if err := s.check(fset, compiled, f[0], f[2], strings.Split(f[3], ",")); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readKnown reads the names of variables that programs read.
func (s *source) readKnown(root string) error {
	text, err := os.ReadFile(filepath.Join(root, "internal/ruleslint/names.go"))
	if err != nil {
		return err
	}
	_, ours, _ := strings.Cut(string(text), "const ours = `")
	ours, _, _ = strings.Cut(ours, "`")
	for name := range strings.FieldsSeq(ours) {
		s.variables[name] = true
	}
	return nil
}

// check reads one package.
func (s *source) check(fset *token.FileSet, compiled types.Importer, path, dir string, names []string) error {
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(fset, filepath.Join(dir, name), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object), Types: make(map[ast.Expr]types.TypeAndValue), Defs: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: compiled}
	if _, err := config.Check(path, fset, files, info); err != nil {
		return err
	}
	if program, ok := strings.CutPrefix(path, "ucspi-go/cmd/"); ok {
		if slices.Contains(ats, program) {
			program = strings.TrimSuffix(program, "at") + "@"
		}
		s.mains[program] = path + ".main"
		s.docs[path+".main"] = files[0].Doc.Text()
	}
	for _, f := range files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				fn := newFunction(path)
				s.functions[info.Defs[d.Name].(*types.Func).FullName()] = fn
				s.inspect(fn, info, d)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || d.Tok != token.VAR {
						continue
					}
					fn := newFunction(path)
					for _, name := range v.Names {
						s.functions[path+"."+name.Name] = fn
					}
					s.inspect(fn, info, v)
				}
			}
		}
	}
	return nil
}
