package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
)

// What other modules can import, and what that imports of this one: the four
// know of each other only through the rules and the environment.
var public = map[string][]string{
	"ucspi-go/rules":          nil,
	"ucspi-go/tcprules":       {"ucspi-go/rules"},
	"ucspi-go/tcpserver":      {"ucspi-go/rules"},
	"ucspi-go/qmaildkim":      {"ucspi-go/rules", "ucspi-go/qmaildkim/keys"},
	"ucspi-go/qmaildkim/keys": nil,
}

func TestPublicPackages(t *testing.T) {
	format := `{{if and (not .Standard) (ne .Name "main")}}{{.ImportPath}} {{end}}`
	for _, pkg := range golist(t, "-f", format, "./...") {
		_, known := public[pkg]
		if known == strings.Contains(pkg, "/internal/") {
			t.Errorf("%s is neither internal nor one of the public packages", pkg)
		}
	}
	for pkg, may := range public {
		for _, imported := range golist(t, "-f", `{{join .Imports " "}}`, pkg) {
			if _, is := public[imported]; is && !slices.Contains(may, imported) {
				t.Errorf("%s imports %s", pkg, imported)
			}
		}
	}
	for _, imported := range golist(t, "-f", `{{join .Imports " "}}`, "./rules") {
		if strings.Contains(imported, ".") && imported != "github.com/colinmarc/cdb" {
			t.Errorf("rules imports %s, which is not of the standard library", imported)
		}
	}
}

// Programs link nothing that is for tests, the demo and the benchmarks.
func TestProgramsLinkNoTestMeans(t *testing.T) {
	means := []string{"testing", "ucspi-go/internal/testprog", "ucspi-go/internal/site", "ucspi-go/internal/smtpsink", "ucspi-go/internal/dnsserver"}
	for _, dep := range golist(t, "-deps", "./cmd/...") {
		if slices.Contains(means, dep) {
			t.Errorf("a program links %s", dep)
		}
	}
}

// Whoever imports the public packages can name all that their exported names
// speak of. Only the Run of a program, which cmd calls, has an Env.
func TestPublicNamesSpeakOfPublicTypes(t *testing.T) {
	eachSource(t, func(file string, src []byte) {
		if _, is := public["ucspi-go/"+path.Dir(file)]; !is {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		internal := map[string]bool{}
		for _, i := range f.Imports {
			imported := strings.Trim(i.Path.Value, `"`)
			internal[path.Base(imported)] = strings.HasPrefix(imported, "ucspi-go/internal/")
		}
		for _, typ := range exportedTypes(f) {
			ast.Inspect(typ, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && internal[x.Name] && x.Name+"."+s.Sel.Name != "prog.Env" {
						t.Errorf("%s: an exported name speaks of %s.%s", file, x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	})
}

// exportedTypes returns the types of parameters, results and fields that
// exported names have.
func exportedTypes(f *ast.File) (types []ast.Node) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || receiverExported(d)) {
				types = append(types, d.Type)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if s, ok := s.(*ast.TypeSpec); ok && s.Name.IsExported() {
					types = append(types, fieldTypes(s.Type)...)
				}
			}
		}
	}
	return types
}

func fieldTypes(typ ast.Expr) (types []ast.Node) {
	s, ok := typ.(*ast.StructType)
	if !ok {
		return []ast.Node{typ}
	}
	for _, f := range s.Fields.List {
		if f.Names == nil || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
			types = append(types, f.Type)
		}
	}
	return types
}
