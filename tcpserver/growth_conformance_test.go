//go:build conformance

package tcpserver_test

import (
	"path/filepath"
	"testing"

	"ucspi-go/internal/testprog"
)

// Twenty thousand connections of all kinds, with names from the DNS and ident
// servers, leave nothing behind.
func TestConformanceTwentyThousand(t *testing.T) {
	if !testprog.OwnNetwork(t) {
		return
	}
	w := newConform(t)
	compile(t, filepath.Join(w.dir, "mixed.cdb"), mixedRules)
	s := startCommand(t, w.command(w.ours, run{args: []string{"-q", "-hpr", "-t5", "-x", "mixed.cdb", "127.0.0.1", "0", "cat"}}, "-1"))
	noGrowth(t, s, 20_000, func(n int) error { return mixed(s.Port, n) })
	stop(t, s)
}
