package ruleslint

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// What is found of duplicates is what a map of all keys finds.
func TestDuplicatesAgainstAMap(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 500 {
		text := randomRules(random)
		set, err := rules.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		l := linter{home: "/nonexistent"}
		var got []string
		for _, f := range l.lint([]byte(text)) {
			if f.kind == kindRepeated || f.kind == kindShadowed || f.kind == kindOverlap {
				got = append(got, strconv.Itoa(f.line)+" "+string(f.kind))
			}
		}
		if want := duplicatesByMap(set); !slices.Equal(got, want) {
			t.Fatalf("round %d:\n%sfound %q, want %q", round, text, got, want)
		}
	}
}

// randomRules returns a few rules of which many have a key in common.
func randomRules(random *rand.Rand) string {
	number := func() string { return strconv.Itoa(random.IntN(8)) }
	span := func() string {
		if random.IntN(2) == 0 {
			return number()
		}
		return number() + "-" + number()
	}
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
	return text.String()
}

// duplicatesByMap returns line and kind of the rules whose keys earlier rules
// have.
func duplicatesByMap(set *rules.Set) (found []string) {
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
			found = append(found, line+" repeated")
		case lost > 0 && lost == total:
			found = append(found, line+" shadowed")
		case lost > 0 && !same:
			found = append(found, line+" overlap")
		}
	}
	return found
}
