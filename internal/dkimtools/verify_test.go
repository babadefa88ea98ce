package dkimtools

import (
	"testing"

	"ucspi-go/qmaildkim"
)

func TestVerdictCode(t *testing.T) {
	t.Parallel()
	for letters, want := range map[string]int{"AC": 0, "DEFGHIJKLNOQRTUVWXY": 1, "S": 2, "P": 111} {
		for _, l := range letters {
			if got := VerdictCode(&qmaildkim.Verdict{Letter: qmaildkim.Letter(l)}); got != want {
				t.Errorf("VerdictCode(%c) = %d, want %d", l, got, want)
			}
		}
	}
}
