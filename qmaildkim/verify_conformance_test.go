//go:build conformance

package qmaildkim

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestConformanceVerifyPeers verifies what dkimpy, Mail::DKIM and OpenDKIM
// signed, with and without CRLF.
func TestConformanceVerifyPeers(t *testing.T) {
	z := peerZone(t)
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			jobs := slices.DeleteFunc(signJobs(p), func(j signJob) bool {
				return j.key.selector == "ed" && strings.Contains(p.broken, j.canonicalizations)
			})
			var texts []string
			for _, j := range jobs {
				texts = append(texts, travelling(j.text))
			}
			dir := writeJobs(t, jobs, texts)
			p.do(t, "sign", dir)
			for i, j := range jobs {
				field, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%05d.sig", i)))
				if err != nil {
					t.Fatal(err)
				}
				signed := string(field) + texts[i]
				for _, s := range []string{signed, strings.ReplaceAll(signed, "\r\n", "\n")} {
					if v := verdictOf(t, s, z); letters(v)[0] != 'A' { // there may be one of before below
						t.Errorf("%v: %v %s under\n%s", j, v.Letter, v.fields(), field)
						break
					}
				}
			}
			t.Logf("%d messages", len(jobs))
		})
	}
}
