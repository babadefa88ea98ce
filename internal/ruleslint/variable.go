package ruleslint

import (
	"strings"

	"ucspi-go/rules"
)

// environ is the environment of a program, as far as the rule makes it.
func environ(rule rules.Rule) rules.Environ { return rules.Environ(nil).With(rule.Settings()...) }

// variables looks at the names that a rule sets.
func (l *linter) variables(rule rules.Rule) {
	set := make(map[string]bool)
	for _, v := range rule.Env {
		if set[v.Name] {
			l.find(kindTwice, v.Name+" is set twice, and the last one counts; remove one")
		}
		set[v.Name] = true
		switch packed := strings.Join(strings.Fields(v.Name), ""); {
		case isVariable(v.Name):
			l.spelling(v.Name)
		case isVariable(packed):
			l.find(kindVariable, "the blank belongs to the name "+show(v.Name)+", so that "+packed+" is not set; write ,"+packed+"=")
		case v.Name == "":
			l.find(kindVariable, "there is no name between the comma and the =; write one")
		default:
			l.find(kindVariable, show(v.Name)+` is taken for a name, which no program reads; write ,NAME="value" with plain names`)
		}
	}
}

// spelling looks for a known name that is probably meant.
func (l *linter) spelling(name string) {
	if known[name] {
		return
	}
	upper := strings.ToUpper(name)
	if known[upper] {
		l.find(kindVariable, "names are in upper case, and nobody reads "+name+"; write "+upper)
		return
	}
	// Short names are near to each other by chance.
	best, most := "", 1
	if len(name) >= 8 {
		most = 2
	}
	for candidate := range known {
		if len(candidate) < 5 {
			continue
		}
		if d := distance(upper, candidate); d < most || d == most && (best == "" || candidate < best) {
			best, most = candidate, d
		}
	}
	if best != "" {
		l.find(kindNear, "no known program reads "+name+"; if "+best+" is meant, write that")
	}
}

// isVariable reports whether a name is one that programs and shells use.
func isVariable(name string) bool {
	for i := range len(name) {
		if !isWord(name[i]) {
			return false
		}
	}
	return name != "" && name[0] > '9'
}

func isWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// distance counts the letters to add, leave out, change or swap with their
// neighbour to come from a to b. What is more than 2 is told as 3.
func distance(a, b string) int {
	const far = 3
	if len(a)-len(b) >= far || len(b)-len(a) >= far {
		return far
	}
	before, above, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := above[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, above[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, above, row = above, row, before
	}
	return min(above[len(b)], far)
}
