//go:build conformance

package tcpserver_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
)

// The file is what Prometheus' own parser takes for good, with the names and
// values that are in it.
func TestConformanceExposition(t *testing.T) {
	python := testprog.Peer(t, "/usr/bin/python3")
	if exec.Command(python, "-c", "import prometheus_client.parser").Run() != nil {
		testprog.Missing(t, "python3-prometheus-client")
	}
	file := filepath.Join(t.TempDir(), "tcpserver.prom")
	db := compile(t, filepath.Join(t.TempDir(), "x.cdb"), "127.0.0.2:deny\n:deny\n")
	s := start(t, "-RHl0", "-x", db, "-W", "counters="+file, "127.0.0.1", "0", "true")
	visitFrom(t, s, "127.0.0.2")
	visitFrom(t, s, "127.0.0.1")
	stop(t, s)
	const script = `
import sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for s in family.samples:
        print(family.type, s.name, s.labels.get("rule", "-"), s.value)
`
	out, err := exec.Command(python, "-c", script, file).CombinedOutput()
	for _, want := range []string{"counter tcpserver_connections_denied_total 127.0.0.2 1.0\n", "counter tcpserver_connections_denied_total  1.0\n",
		"counter tcpserver_connections_accepted_total - 2.0\n", "histogram tcpserver_lookup_seconds_count - 2.0\n", "gauge tcpserver_connections_limit - 40.0\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, no %q:\n%s", err, want, out)
		}
	}
}
