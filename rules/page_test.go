package rules_test

import (
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// The example of docs/ipv6.md does what the page says.
func TestIPv6Page(t *testing.T) {
	t.Parallel()
	page := testprog.ReadPage(t, "docs/ipv6.md")
	db := build(t, page.Example(t, "rules"))
	rows := regexp.MustCompile("(?m)^\\| ([^`| ]*[:.][^`| ]*) \\| (.*) \\|$").FindAllStringSubmatch(page.Text, -1)
	if len(rows) < 9 {
		t.Fatalf("%d clients", len(rows))
	}
	for _, row := range rows {
		c := rules.Client{IP: row[1]}
		if info, ip, found := strings.Cut(row[1], "@"); found {
			c = rules.Client{IP: ip, Info: &info}
		}
		want := strings.Trim(row[2], "`")
		if want == "everybody" {
			want = ""
		}
		d, err := db.Lookup(c)
		if err != nil || rules.AddressOf(d.Key) != want {
			t.Errorf("%s has the rule %q, %v; the page says %q", row[1], rules.AddressOf(d.Key), err, want)
		}
	}
	d, err := db.Lookup(rules.Client{IP: "2001:db8:2::7"})
	if err != nil {
		t.Fatal(err)
	}
	var tried []string
	for _, key := range d.Tried {
		tried = append(tried, rules.AddressOf(key))
	}
	if got := strings.Join(tried, " ") + "\n"; got != page.Example(t, "keys") {
		t.Errorf("keys %q, the page says %q", got, page.Example(t, "keys"))
	}
}
