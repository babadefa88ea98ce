package keys_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"ucspi-go/qmaildkim/keys"
)

// Whoever watches hears of each path in order, and of a second key that is
// there.
func TestWatch(t *testing.T) {
	t.Parallel()
	s := keys.Store{Home: tree(t, map[string]string{
		"control/b.example/k": "junk",
		"control/k":           rsaPEM,
		"control/k-ed25519":   ed25519PEM,
	})}
	var heard []string
	s.Watch = func(path string, err error) {
		switch {
		case err == nil:
			path += " used"
		case errors.Is(err, fs.ErrNotExist):
			path += " absent"
		case errors.Is(err, keys.ErrNotKey):
			path += " no key"
		}
		heard = append(heard, path)
	}
	first, err := s.Find("control/%/k", "a.example")
	if err == nil {
		_, err = s.Second(first)
	}
	if want := []string{"control/a.example/k absent", "control/k used", "control/k-ed25519 used"}; err != nil || !slices.Equal(heard, want) {
		t.Errorf("heard %q, %v; want %q", heard, err, want)
	}
	heard = nil
	s.Find("control/%/k", "b.example")
	s.Second(&keys.Key{Path: "control/none", Selector: "none"})
	if want := []string{"control/b.example/k no key"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}
