package manual

import (
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
	"slices"
	"strings"
)

// readers are the names of functions whose first argument is the name of a
// variable that is read.
var readers = []string{"Lookup", "lookup", "value", "set", "or", "ask", "isSet"}

// queueCode is the type of the exit codes of queue programs.
const queueCode = "ucspi-go/internal/qmail.Code"

// isExit is the name of a constant that is an exit code.
var isExit = regexp.MustCompile(`^exit[A-Z]`)

// inspect notes what is in a declaration.
func (s *source) inspect(fn *function, info *types.Info, n ast.Node) {
	compared := make(map[ast.Expr]bool)
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			s.use(fn, info.Uses[n])
		case *ast.CallExpr:
			s.call(fn, info, n)
		case *ast.CompositeLit:
			composite(fn, info, n)
		case *ast.BinaryExpr:
			s.read(fn, info, n.X)
			s.read(fn, info, n.Y)
			compared[n.X], compared[n.Y] = true, true
		case *ast.CaseClause:
			for _, e := range n.List {
				s.read(fn, info, e)
				compared[e] = true
			}
		case *ast.RangeStmt:
			if list, ok := n.X.(*ast.CompositeLit); ok {
				for _, e := range list.Elts {
					s.read(fn, info, e)
				}
			}
		}
		if e, ok := n.(ast.Expr); ok && !compared[e] {
			if v := info.Types[e].Value; v != nil && info.Types[e].Type.String() == queueCode {
				fn.codes[v.String()] = true
			} else if v != nil && isExit.MatchString(calleeName(e)) {
				fn.exits[v.String()] = true
			}
		}
		return true
	})
}

// call notes what a call reads or exits with.
func (s *source) call(fn *function, info *types.Info, n *ast.CallExpr) {
	name := calleeName(n.Fun)
	if len(n.Args) > 0 && slices.Contains(readers, name) {
		s.read(fn, info, n.Args[0])
	}
	if name == "Operand" {
		if n, ok := constant.Int64Val(info.Types[n.Args[1]].Value); ok {
			fn.operands = max(fn.operands, int(n)+1)
		}
	}
	callee := calleeFunc(info, n.Fun)
	if callee == nil || callee.Pkg() == nil || callee.Pkg().Path() != "ucspi-go/internal/prog" {
		return
	}
	switch name {
	case "Fatal", "Exit":
		if v := info.Types[n.Args[0]].Value; v != nil {
			fn.exits[v.String()] = true
		} else if conversion, ok := n.Args[0].(*ast.CallExpr); ok && len(conversion.Args) == 1 {
			fn.isQueue = fn.isQueue || info.Types[conversion.Args[0]].Type.String() == queueCode
		}
	case "Usage":
		fn.exits["100"] = true
	}
}

// composite notes the exit code of a prog.Error, and the name of a rules.Var.
func composite(fn *function, info *types.Info, n *ast.CompositeLit) {
	for _, e := range n.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok || info.Types[kv.Value].Value == nil {
			continue
		}
		value := info.Types[kv.Value].Value
		switch info.Types[n].Type.String() + "." + calleeName(kv.Key) {
		case "ucspi-go/internal/prog.Error.Code":
			fn.exits[value.String()] = true
		case "ucspi-go/rules.Var.Name":
			fn.sets[constant.StringVal(value)] = true
		}
	}
}

// execMethod is what the field Exec of prog.Env holds.
const execMethod = "(*ucspi-go/internal/prog.Env).exec"

func (s *source) use(fn *function, obj types.Object) {
	switch obj := obj.(type) {
	case *types.Func:
		obj = obj.Origin()
		switch r := obj.Signature().Recv(); {
		case r == nil || !types.IsInterface(r.Type()):
			fn.uses[obj.FullName()] = true
		case obj.Pkg() != nil && strings.HasPrefix(obj.Pkg().Path(), "ucspi-go/"):
			fn.methods[obj.Name()] = true
		}
	case *types.Var:
		if obj.IsField() && obj.Name() == "Exec" {
			fn.uses[execMethod] = true
		} else if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
			fn.uses[obj.Pkg().Path()+"."+obj.Name()] = true
		}
	}
}

func (s *source) read(fn *function, info *types.Info, e ast.Expr) {
	if v := info.Types[e].Value; v != nil && v.Kind() == constant.String && s.variables[constant.StringVal(v)] {
		fn.reads[constant.StringVal(v)] = true
	}
}

func calleeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

func calleeFunc(info *types.Info, e ast.Expr) *types.Func {
	var id *ast.Ident
	switch e := e.(type) {
	case *ast.Ident:
		id = e
	case *ast.SelectorExpr:
		id = e.Sel
	default:
		return nil
	}
	f, _ := info.Uses[id].(*types.Func)
	return f
}
