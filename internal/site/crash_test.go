package site_test

import (
	"fmt"
	"testing"

	"ucspi-go/internal/site"
)

// Processes of the path are killed at random moments while clients send: see
// storm for what must hold. TestSoak, behind the build tag soak, does the same
// at length.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []site.Config{{Sink: site.Queue}, {Sink: site.Queue, Split: true}, {Sink: site.Maildir}} {
		t.Run(fmt.Sprintf("sink=%s,split=%v", c.Sink, c.Split), func(t *testing.T) {
			t.Parallel()
			storm{connections: 4, messages: 200, each: 4}.run(t, start(t, c))
		})
	}
}
