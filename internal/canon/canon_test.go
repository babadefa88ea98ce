package canon

import "testing"

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		c            string
		header, body Algorithm
		ok           bool
	}{
		{"", Simple, Simple, true},
		{"simple", Simple, Simple, true},
		{"relaxed", Relaxed, Simple, true},
		{"relaxed/relaxed", Relaxed, Relaxed, true},
		{"simple/relaxed", Simple, Relaxed, true},
		{"/relaxed", Simple, Relaxed, true},
		{"nowsp", Simple, Simple, false},
		{"relaxed/nowsp", Relaxed, Simple, false},
		{"relaxed/simple/simple", Relaxed, Simple, false},
	} {
		header, body, ok := Parse(test.c)
		if header != test.header || body != test.body || ok != test.ok {
			t.Errorf("Parse(%q) = %v, %v, %v, want %v, %v, %v", test.c, header, body, ok, test.header, test.body, test.ok)
		}
	}
}
