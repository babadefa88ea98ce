package smtp

import "testing"

func TestSendable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{"": true, "a b@c": true, "a\rb": false, "a\nb": false, "a\x00": false, "a@b\n": false} {
		if got := Sendable(in); got != want {
			t.Errorf("Sendable(%q) = %v", in, got)
		}
	}
}
