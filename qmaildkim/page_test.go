package qmaildkim

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The manual page dkimverify(5) has every letter with its result, code and
// text, and no others.
func TestLettersPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../man/dkimverify.5")
	if err != nil {
		t.Fatal(err)
	}
	item := regexp.MustCompile(`(?s)^([A-Z])\n.*\n\.Em (\w+) ,\ncode ([0-9.]+),\n\.Ql ([^\n]+) \.(?:\n|$)`)
	found := make(map[Letter]bool)
	for _, text := range strings.Split(string(page), "\n.It Cm ")[1:] {
		m := item.FindStringSubmatch(text)
		if m == nil {
			t.Errorf("no letter with result, code and text: %.200s", text)
			continue
		}
		letter := Letter(m[1][0])
		o := outcomes[letter]
		if o.text == "" {
			o.text = o.status
		}
		if m[2] != o.result || m[3] != o.code || m[4] != o.text {
			t.Errorf("%v is %q on the page, want %q, %q, %q", letter, m[2:], o.result, o.code, o.text)
		}
		found[letter] = true
	}
	for letter := range outcomes {
		if !found[letter] {
			t.Errorf("the page lacks %v", letter)
		}
	}
}
