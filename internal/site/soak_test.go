//go:build soak

package site_test

import (
	"os"
	"strconv"
	"testing"

	"ucspi-go/internal/site"
)

// 20,000 messages, or $SOAK, over 20 connections, into the queue and as many
// into a Maildir, with a kill for every tenth of them.
func TestSoak(t *testing.T) {
	messages := 20000
	if text := os.Getenv("SOAK"); text != "" {
		var err error
		if messages, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, sink := range []site.Sink{site.Queue, site.Maildir} {
		t.Run(string(sink), func(t *testing.T) {
			storm{connections: 20, messages: messages, each: 10}.run(t, start(t, site.Config{Sink: sink}))
		})
	}
}
