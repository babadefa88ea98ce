package rules_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/rules"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []rules.Rule
	}{
		{"nothing", "", nil},
		{"comment", "#:deny\n", nil},
		{"comment is in column 1 only", " #x:allow\n", []rules.Rule{{Line: 1, Address: " #x"}}},
		{"line without colon", "nonsense\n\n:deny\n", []rules.Rule{{Line: 3, Deny: true}}},
		{"no final newline", ":deny", []rules.Rule{{Line: 1, Deny: true}}},
		{"trailing blanks", "1.:allow \t \n", []rules.Rule{{Line: 1, Address: "1."}}},
		{"blanks of the address stay", " 1. :allow\n", []rules.Rule{{Line: 1, Address: " 1. "}}},
		{"carriage return without colon", "\r\n", nil},
		{"range is kept", "1.2.3.4-8:deny\n", []rules.Rule{{Line: 1, Address: "1.2.3.4-8", Deny: true}}},
		{"number up to NUL", "1\x00x-2:deny\n", []rules.Rule{{Line: 1, Address: "1\x00x-2", Deny: true}}},
		{"no range with =", "=a-b:deny\n", []rules.Rule{{Line: 1, Address: "=a-b", Deny: true}}},
		{"no range with @", "a-b@:deny\n", []rules.Rule{{Line: 1, Address: "a-b@", Deny: true}}},
		{"variables", `:allow,A="x:y,z",B='',C=qvq,D E=,f,,=..`, []rules.Rule{{Line: 1, Env: []rules.Var{
			{Name: "A", Value: "x:y,z"}, {Name: "B"}, {Name: "C", Value: "v"}, {Name: "D E", Value: "f"}, {},
		}}}},
		{"variables of a denial", `:deny,A=="=`, []rules.Rule{{Line: 1, Deny: true, Env: []rules.Var{{Name: "A", Value: `"`}}}}},
	} {
		got, err := rules.Parse(strings.NewReader(tt.in))
		if err != nil || !reflect.DeepEqual(got.Rules, tt.want) {
			t.Errorf("%s: Parse(%q) = %+v, %v, want %+v", tt.name, tt.in, got, err, tt.want)
		}
	}
}

func TestParseSyntaxError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		":", ":a", ":Allow", ": allow", ":denyA", ":allow,", ":allow,A", ":allow,A=", `:allow,A="`, `:allow,A="x`,
		`:allow,A=""B`, `:allow,A=="x"`, `:allow,A="x",`, `:allow A="x"`, `:allow,A= f`, ":allow\r", "1.2.3.4:allow,A=\"\"\r",
		"2001:db8::x:deny", "a-b:deny", "1.2.3.4-x:deny", "1.2.3.x4-5:deny", "fe80-1:deny", "1-+2:deny",
	} {
		_, err := rules.Parse(strings.NewReader("1.:deny\n\n" + text + " \t\n:nonsense\n"))
		var bad *rules.SyntaxError
		if !errors.As(err, &bad) || bad.Line != 3 || bad.Text != text {
			t.Errorf("Parse(%q) = %v, want a SyntaxError in line 3", text, err)
		}
		if got := compileErr(text); got == nil {
			t.Errorf("CompileText(%q): no error", text)
		}
	}
}

func TestSyntaxErrorNamesLine(t *testing.T) {
	t.Parallel()
	_, err := rules.Parse(strings.NewReader("\n1.2.3.4:allwo\n"))
	if want := "rules: line 2: unable to parse: 1.2.3.4:allwo"; err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	// Around the size of the scanner's buffer, and far above it.
	for _, n := range []int{65500, 65520, 65535, 65536, 65537, 131072, 5 << 20} {
		value := strings.Repeat("v", n)
		set, err := rules.Parse(strings.NewReader("#" + value + "\n1.:allow,A=\"" + value + "\"\n:deny"))
		if err != nil || len(set.Rules) != 2 || set.Rules[0].Env[0].Value != value || set.Rules[1].Line != 3 {
			t.Errorf("a line of %d bytes is not what it was: %v", n, err)
		}
	}
}

func TestReadError(t *testing.T) {
	t.Parallel()
	r := func() io.Reader {
		return io.MultiReader(strings.NewReader(":deny\n1."), iotest.ErrReader(io.ErrClosedPipe))
	}
	if _, err := rules.Parse(r()); err != io.ErrClosedPipe {
		t.Errorf("Parse = %v, want the reader's error", err)
	}
	if err := rules.CompileText(r(), new(memory)); err != io.ErrClosedPipe {
		t.Errorf("CompileText = %v, want the reader's error", err)
	}
}
