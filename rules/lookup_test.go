package rules_test

import (
	"reflect"
	"testing"

	"ucspi-go/rules"
)

func str(s string) *string { return &s }

func TestLookupTriesKeysInOrder(t *testing.T) {
	t.Parallel()
	db := build(t, "never found:deny\n")
	for _, tt := range []struct {
		c    rules.Client
		want []string
	}{
		{rules.Client{IP: "1.2.3.4"}, []string{"1.2.3.4", "1.2.3.", "1.2.", "1.", ""}},
		{
			rules.Client{IP: "1.2.3.4", Host: str("a.b.c")},
			[]string{"1.2.3.4", "=a.b.c", "1.2.3.", "1.2.", "1.", "=.b.c", "=.c", "=", ""},
		},
		{
			rules.Client{IP: "1.2.3.4", Host: str("a.b"), Info: str("joe")},
			[]string{"joe@1.2.3.4", "joe@=a.b", "1.2.3.4", "=a.b", "1.2.3.", "1.2.", "1.", "=.b", "=", ""},
		},
		{rules.Client{IP: "1.2", Info: str("joe")}, []string{"joe@1.2", "1.2", "1.", ""}},
		{
			rules.Client{IP: "1.2", Host: str(""), Info: str("")},
			[]string{"@1.2", "@=", "1.2", "=", "1.", "=", ""},
		},
		{rules.Client{IP: "1", Host: str(".a..")}, []string{"1", "=.a..", "=.a..", "=..", "=.", "=", ""}},
		{rules.Client{IP: "1.2."}, []string{"1.2.", "1.2.", "1.", ""}},
		{rules.Client{IP: ".."}, []string{"..", "..", ".", ""}},
		{rules.Client{IP: "fe80::1"}, []string{"fe80::1", "fe80::", "fe80:", ""}},
		{rules.Client{}, []string{"", ""}},
	} {
		d, err := db.Lookup(tt.c)
		if err != nil || d.Found || d.Deny || !reflect.DeepEqual(d.Tried, tt.want) {
			t.Errorf("Lookup(%+v) = %+v, %v, want nothing found after %q", tt.c, d, err, tt.want)
		}
	}
}

// TestLookupFirstWins removes the rule that matched, until none is left.
func TestLookupFirstWins(t *testing.T) {
	t.Parallel()
	c := rules.Client{IP: "10.1.2.3", Host: str("www.example.org"), Info: str("joe")}
	order := []string{
		"joe@10.1.2.3", "joe@=www.example.org", "10.1.2.3", "=www.example.org", "10.1.2.", "10.1.", "10.",
		"=.example.org", "=.org", "=", "",
	}
	for i, key := range order {
		text := ""
		for _, k := range order[i:] {
			text = k + ":allow,KEY=\"" + k + "\"\n" + text
		}
		d, err := build(t, text).Lookup(c)
		if err != nil || !d.Found || d.Key != key || len(d.Env) != 1 || d.Env[0].Value != key || !reflect.DeepEqual(d.Tried, order[:i+1]) {
			t.Errorf("Lookup = %+v, %v, want %q", d, err, key)
		}
	}
	if d, err := build(t, "10.1.2.3:deny\n10.1.2.3:allow\n10:deny\n").Lookup(rules.Client{IP: "10.1.2.3"}); err != nil || !d.Deny {
		t.Errorf("Lookup = %+v, %v, want the first of two rules", d, err)
	}
}

func TestLookupInstructions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want rules.Decision
	}{
		{":allow", rules.Decision{}},
		{":deny", rules.Decision{Deny: true}},
		{":deny,A='x'", rules.Decision{Deny: true, Env: []rules.Var{{Name: "A", Value: "x"}}}},
		{":allow,A='',B='b=c',='e'", rules.Decision{Env: []rules.Var{{Name: "A"}, {Name: "B", Value: "b=c"}, {Value: "e"}}}},
		// A NUL ends an instruction, wherever it is.
		{":allow,A='x\x00D\x00junk\x00\x00+no\x00+B=y'", rules.Decision{
			Deny: true, Env: []rules.Var{{Name: "A", Value: "x"}, {Name: "B", Value: "y"}},
		}},
	} {
		got, err := build(t, tt.in).Lookup(rules.Client{})
		tt.want.Found, tt.want.Tried = true, []string{""}
		tt.want.Data = got.Data
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("Lookup in %q = %+v, %v, want %+v", tt.in, got, err, tt.want)
		}
	}
}

// TestLookupToEnvironment is the way that a rule takes to a program: the text,
// the database, the decision, the environment.
func TestLookupToEnvironment(t *testing.T) {
	t.Parallel()
	db := build(t, "127.:allow,RELAYCLIENT=\"\",QMAILQUEUE=\"bin/qmail-dkim\"\n:deny\n")
	d, err := db.Lookup(rules.Client{IP: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	e := d.Apply(rules.Environ{"QMAILQUEUE=other", "HOME=/"})
	for name, want := range map[string]string{"RELAYCLIENT": "", "QMAILQUEUE": "bin/qmail-dkim", "HOME": "/"} {
		if got, set := e.Lookup(name); !set || got != want {
			t.Errorf("Lookup(%s) = %q, %t, want %q", name, got, set, want)
		}
	}
}
