//go:build conformance

package qmaildkim

import (
	"strings"
	"testing"

	"ucspi-go/rules"
)

// TestConformanceSignPeers has dkimpy, Mail::DKIM and OpenDKIM verify what we
// signed, as it travels.
func TestConformanceSignPeers(t *testing.T) {
	files := make(map[string]string)
	for _, k := range peerKeys() {
		for _, domain := range []string{"example.com", idn} {
			files["control/domainkeys/"+domain+"/"+k.selector] = keyPEM(t, k.Signer)
		}
	}
	home := newHome(t, files)
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t) // or skip
			jobs := signJobs(p)
			var texts []string
			for _, j := range jobs {
				environ := rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/" + j.key.selector, "DKIMSIGNOPTIONS=-c " + j.canonicalizations}
				out, report, err := process(t, environ, j.text)
				if err != nil || len(report.Signed) != 1 || report.Signed[0].Domain != j.domain() {
					t.Fatalf("%v: %+v, %v", j, report, err)
				}
				texts = append(texts, travelling(out))
			}
			verdicts := strings.Split(strings.TrimSuffix(p.do(t, "verify", writeJobs(t, jobs, texts)), "\n"), "\n")
			if len(verdicts) != len(jobs) {
				t.Fatalf("%d verdicts for %d messages", len(verdicts), len(jobs))
			}
			for i, v := range verdicts {
				if v != "pass" {
					t.Errorf("%v: %s", jobs[i], v)
				}
			}
			t.Logf("%d messages", len(jobs))
		})
	}
}
