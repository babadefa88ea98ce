//go:build conformance

package manual

import (
	"os/exec"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// Mandoc finds nothing wrong with any page, and shows each.
func TestConformanceMandoc(t *testing.T) {
	mandoc := testprog.Peer(t, "mandoc")
	for _, p := range pages(t) {
		file := "../../man/" + p.file
		// Whether the pages of others are on this host is not asked.
		out, _ := exec.Command(mandoc, "-Tlint", "-W", "style", file).CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if !strings.Contains(line, "mandoc.db") && !strings.Contains(line, "referenced manual not found") {
				t.Error(line)
			}
		}
		shown, err := exec.Command(mandoc, "-Tutf8", file).Output()
		if err != nil || !strings.Contains(string(shown), strings.ToUpper(p.name)+"(") {
			t.Errorf("%s: %v\n%s", p.file, err, shown)
		}
	}
}
