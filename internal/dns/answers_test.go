package dns

import (
	"context"
	"errors"
	"testing"
)

func TestAnswers(t *testing.T) {
	t.Parallel()
	failed := errors.New("no answer")
	a := NewAnswers(func(_ context.Context, name string) ([]string, error) {
		if name == "bad" {
			return nil, failed
		}
		return []string{name}, nil
	})
	for _, name := range []string{"good", "bad"} {
		texts, err := a.LookupTXT(t.Context(), name)
		kept, keptErr, asked := a.Of(name)
		if !asked || keptErr != err || len(kept) != len(texts) || name == "bad" && err != failed || name == "good" && kept[0] != "good" {
			t.Errorf("%s: %q, %v; kept %q, %v, %v", name, texts, err, kept, keptErr, asked)
		}
	}
	if _, _, asked := a.Of("other"); asked {
		t.Error("never asked for, and answered")
	}
}
