//go:build conformance

package pages

import (
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

// The same, with the C programs that are installed.
func TestConformanceMigrate(t *testing.T) {
	t.Parallel()
	testprog.Peer(t, "/usr/bin/tcprules")
	migrate(t, filepath.Dir(testprog.Peer(t, "/usr/bin/tcprulescheck")))
}
