package ruleslint

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// What is found of duplicates is what a map of all keys finds.
func TestDuplicatesAgainstAMap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	number := func() string { return strconv.Itoa(random.IntN(8)) }
	span := func() string {
		if random.IntN(2) == 0 {
			return number()
		}
		return number() + "-" + number()
	}
	for round := range 500 {
		var text strings.Builder
		for range 8 {
			switch random.IntN(6) {
			case 0:
				text.WriteString("1." + span() + ".")
			case 1:
				text.WriteString("1.2.3." + span())
			case 2:
				text.WriteString(span() + ".2.")
			case 3:
				text.WriteString("=a-" + number() + ".example")
			case 4:
				text.WriteString("joe@1.2.3." + number())
			}
			text.WriteString([]string{":allow\n", ":deny\n"}[random.IntN(2)])
		}
		set, err := rules.Parse(strings.NewReader(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		first := make(map[string]bool) // key to deny
		for _, rule := range set.Rules {
			total, lost, same := 0, 0, true
			for key := range rule.Keys() {
				total++
				if deny, found := first[key]; found {
					lost++
					same = same && deny == rule.Deny
				}
			}
			for key := range rule.Keys() {
				if _, found := first[key]; !found {
					first[key] = rule.Deny
				}
			}
			line := strconv.Itoa(rule.Line)
			switch {
			case lost > 0 && lost == total && same:
				want = append(want, line+" repeated")
			case lost > 0 && lost == total:
				want = append(want, line+" shadowed")
			case lost > 0 && !same:
				want = append(want, line+" overlap")
			}
		}
		l := linter{home: "/nonexistent"}
		var got []string
		for _, f := range l.lint([]byte(text.String())) {
			if f.kind == kindRepeated || f.kind == kindShadowed || f.kind == kindOverlap {
				got = append(got, strconv.Itoa(f.line)+" "+string(f.kind))
			}
		}
		if strings.Join(got, ",") != strings.Join(want, ",") {
			t.Fatalf("round %d:\n%sfound %q, want %q", round, text.String(), got, want)
		}
	}
}
