package qmaildkim

import (
	"errors"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestLetterOfEveryLibraryError reads the source of the pinned go-msgauth, so
// that a new version with a new error text cannot go unnoticed.
func TestLetterOfEveryLibraryError(t *testing.T) {
	t.Parallel()
	found := make(map[string]bool)
	for _, name := range []string{"verify.go", "query.go"} {
		for _, text := range errorTexts(t, filepath.Join(libraryDir(t), "dkim", name)) {
			found[text] = true
			letter, reason := letterOf(errors.New(errorPrefix + strings.ReplaceAll(text, "%v", "7")))
			if letter == letterNeutral || reason == "" {
				t.Errorf("no letter for the library's error %q", text)
			}
		}
	}
	if len(found) < 30 {
		t.Errorf("found only %d error texts in the library", len(found))
	}
	for _, e := range libraryErrors {
		if !containsText(found, e.text) {
			t.Errorf("the library has no error %q", e.text)
		}
	}
}

// libraryDir returns the folder of the go-msgauth module in use.
func libraryDir(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/emersion/go-msgauth").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// errorTexts returns the texts from which a source file makes errors of the
// three classes: the argument's literal, or the first literal in it.
func errorTexts(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		class, ok := call.Fun.(*ast.Ident)
		if !ok || !strings.HasSuffix(class.Name, "ailError") {
			return true
		}
		if text := firstLiteral(t, call.Args[0]); text != "" {
			texts = append(texts, text)
		} else {
			t.Errorf("%s: an error without a literal text", name)
		}
		return true
	})
	return texts
}

func firstLiteral(t *testing.T, n ast.Node) (text string) {
	t.Helper()
	ast.Inspect(n, func(n ast.Node) bool {
		lit, ok := n.(*ast.BasicLit)
		if ok && lit.Kind == gotoken.STRING && text == "" {
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			text = s
		}
		return true
	})
	return text
}

func containsText(found map[string]bool, text string) bool {
	for f := range found {
		if f == text || strings.HasSuffix(text, ": ") && strings.HasPrefix(f, text) {
			return true
		}
	}
	return false
}

func TestLetterOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text   string
		letter Letter
		reason string
	}{
		{"dkim: key syntax error: missing public key data", 'L', "key syntax error: missing public key data"},
		{"dkim: key syntax error: not an RSA public key", 'R', "key syntax error"},
		{"dkim: malformed time: strconv.ParseInt: parsing \"a)b\": invalid syntax", 'H', "malformed time"},
		{"dkim: body hash did not verify, a later version says", 'D', "unknown verification error"},
		{"unexpected EOF", 'D', "unknown verification error"},
	} {
		letter, reason := letterOf(errors.New(test.text))
		if letter != test.letter || reason != test.reason {
			t.Errorf("letterOf(%q) = %v, %q, want %v, %q", test.text, letter, reason, test.letter, test.reason)
		}
	}
	if letter, reason := letterOf(nil); letter != letterGood || reason != "" {
		t.Errorf("letterOf(nil) = %v, %q", letter, reason)
	}
}

func TestOutcomesAreComplete(t *testing.T) {
	t.Parallel()
	results := map[string]bool{"pass": true, "fail": true, "none": true, "policy": true, "neutral": true, "temperror": true, "permerror": true}
	for letter, o := range outcomes {
		if !results[o.result] || o.status == "" || o.text == "" && letter != letterGood {
			t.Errorf("outcome of %v = %+v", letter, o)
		}
	}
	for _, e := range libraryErrors {
		if _, ok := outcomes[e.letter]; !ok {
			t.Errorf("%v has no outcome", e.letter)
		}
	}
}
