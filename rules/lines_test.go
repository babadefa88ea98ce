package rules_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/rules"
)

func lines(t *testing.T, text string) (all []rules.Line) {
	t.Helper()
	for l, err := range rules.Lines(strings.NewReader(text)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text  string
		kind  rules.LineKind
		fault rules.Fault
		rest  string
	}{
		{"# a:b\n", rules.LineComment, 0, ""},
		{"\n", rules.LineComment, 0, ""},
		{"no colon \n", rules.LineSkipped, 0, ""},
		{" \n", rules.LineSkipped, 0, ""},
		{":allow", rules.LineRule, 0, ""},
		{"1-3.:deny,A='b' \n", rules.LineRule, 0, ""},
		{":alow,A='b'", rules.LineBad, rules.FaultAction, "alow,A='b'"},
		{":", rules.LineBad, rules.FaultAction, ""},
		{":allow,A='b' B", rules.LineBad, rules.FaultComma, " B"},
		{":allowed", rules.LineBad, rules.FaultComma, "ed"},
		{":allow,A='b',", rules.LineBad, rules.FaultEquals, ","},
		{":allow,A=", rules.LineBad, rules.FaultValue, ",A="},
		{":allow,B='c',A=b", rules.LineBad, rules.FaultQuote, ",A=b"},
		{"a-b:allow,A='b'", rules.LineBad, rules.FaultRange, "a-b"},
	} {
		// A line before and after: the number counts, and the scan goes on.
		text := "#\n" + strings.TrimSuffix(tt.text, "\n") + "\n1.2.3.4:deny\n"
		all := lines(t, text)
		if len(all) != 3 || all[2].Kind != rules.LineRule || all[2].Rule.Line != 3 {
			t.Errorf("%q: %+v, want three lines", tt.text, all)
			continue
		}
		l := all[1]
		if l.Kind != tt.kind || l.Fault != tt.fault || l.Rest != tt.rest || l.Rule.Line != 2 || l.Text != strings.TrimRight(tt.text, " \n") && l.Kind != rules.LineComment {
			t.Errorf("%q: %+v, want kind %d, fault %d, rest %q", tt.text, l, tt.kind, tt.fault, tt.rest)
		}
		// Parse stops where a line is bad, and there alone.
		_, err := rules.Parse(strings.NewReader(text))
		var bad *rules.SyntaxError
		if (tt.kind == rules.LineBad) != errors.As(err, &bad) || bad != nil && (bad.Line != 2 || bad.Text != l.Text) {
			t.Errorf("%q: Parse says %v of %+v", tt.text, err, l)
		}
	}
	if all := lines(t, ":allow,A='b',B=c"); len(all) != 1 || !slices.Equal(all[0].Rule.Env, []rules.Var{{Name: "A", Value: "b"}}) {
		t.Errorf("a bad line: %+v, want what could be read", all)
	}
	for _, err := range rules.Lines(iotest.ErrReader(errors.ErrUnsupported)) {
		if err != errors.ErrUnsupported {
			t.Errorf("error %v, want the reader's", err)
		}
	}
}

// The keys of a rule are those of the records that it compiles to.
func TestKeys(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "1.2.3.4", "1.2.3.4-8", "1.2.3.250-300", "1.2.3.8-4", "007-9.", "1-3.2-4.", "a@1.2.3.4-8", "=a-1.b", "0-255.", "18446744073709551615-9."} {
		set, err := rules.Parse(strings.NewReader(text + ":deny\n"))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, r := range records(compile(t, text+":deny\n")) {
			want = append(want, r.Name)
		}
		if got := slices.Collect(set.Rules[0].Keys()); !slices.Equal(got, want) {
			t.Errorf("Keys of %q: %q, want %q", text, got, want)
		}
		for range set.Rules[0].Keys() {
			break
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		":allow":                          "",
		":allow,B='1',A='2',B='3',C=''":   "[A=2 B=3 C=]",
		":deny,A='b'":                     "deny",
		":allow,A='b\x00+C=d'":            "[A=b C=d]", // what stands behind a NUL is an instruction of its own
		":allow,A='b\x00D',C='d'":         "deny",
		":allow,A\x00B='b',A='c',\x00=''": "[A=c]",
	} {
		set, err := rules.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		d := set.Rules[0].Decision("")
		if got := effect(d); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		if fromDB, err := build(t, text).Lookup(rules.Client{}); err != nil || effect(fromDB) != want || fromDB.Data != d.Data {
			t.Errorf("%q: %+v, %v of the database, %+v of the rule", text, fromDB, err, d)
		}
	}
}

func effect(d rules.Decision) string {
	if d.Deny {
		if d.Settings() != nil {
			return "deny with settings"
		}
		return "deny"
	}
	var words []string
	for _, v := range d.Settings() {
		words = append(words, v.String())
	}
	if words == nil {
		return ""
	}
	return "[" + strings.Join(words, " ") + "]"
}
