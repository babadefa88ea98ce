package manual

import (
	"strings"
	"testing"
)

// Every exit code of a program is explained, and no others are.
func TestExits(t *testing.T) {
	t.Parallel()
	notSeen := map[string]string{ // codes that the source has, and the program does not exit with
		"who@":            "111", // of Connect, which the programs only tell
		"date@":           "111",
		"finger@":         "111",
		"http@":           "111",
		"qmail-smarthost": "57",       // of a queue program behind it, which it has not
		"dkimreport":      "31 32 71", // of qmail-dkim's refusals
	}
	for program, p := range programPages(t) {
		f := loadSource(t).reach(program)
		for code := range strings.FieldsSeq(notSeen[program]) {
			if !f.exits[code] {
				t.Errorf("%s: %s is not to be seen", program, code)
			}
			delete(f.exits, code)
		}
		explained := p.exits()
		delete(explained, "0") // which is success, or that of a program that this one becomes
		compare(t, p.file+", EXIT STATUS", explained, f.exits)
	}
}
