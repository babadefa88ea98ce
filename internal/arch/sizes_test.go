package arch

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// The most lines of a file, and of a function without its tables and texts.
// What is larger has two ideas, or a reason.
const maxFile, maxFunc = 400, 60

var larger = map[string]string{
	"qmaildkim_test.Example":                "of an example readers see nothing but its body",
	"tcpserver/load_test.go":                "every test there puts a server under load, with the same few means",
	"tcpserver_test.TestConformanceHAProxy": "one HAProxy serves all of it, and takes seconds to start",
}

func TestSizes(t *testing.T) {
	needed := map[string]bool{}
	check := func(name string, lines, most int) {
		if lines <= most {
			return
		}
		needed[name] = true
		if larger[name] == "" {
			t.Errorf("%s has %d lines, more than %d, and no reason in larger", name, lines, most)
		}
	}
	eachFile(t, func(path string, src []byte) {
		check(path, bytes.Count(src, []byte("\n")), maxFile)
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				check(f.Name.Name+"."+fn.Name.Name, length(files, fn), maxFunc)
			}
		}
	})
	for name := range larger {
		if !needed[name] {
			t.Errorf("%s is not too large", name)
		}
	}
}

// length returns how many lines a function has. A literal counts as one.
func length(files *token.FileSet, fn *ast.FuncDecl) int {
	lines := func(n ast.Node) int { return files.Position(n.End()).Line - files.Position(n.Pos()).Line }
	total := 1 + lines(fn)
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.CompositeLit, *ast.BasicLit:
			total -= lines(n)
			return false
		}
		return true
	})
	return total
}
