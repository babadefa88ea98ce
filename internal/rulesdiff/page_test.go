package rulesdiff

import (
	"testing"

	"ucspi-go/internal/testprog"
)

// The example of docs/rulesdiff.md is true.
func TestPage(t *testing.T) {
	t.Parallel()
	page := testprog.ReadPage(t, "docs/rulesdiff.md")
	page.Expect(t, "says", tellAll(t, page.Example(t, "old"), page.Example(t, "new"), false))
}
