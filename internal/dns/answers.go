package dns

import (
	"context"
	"sync"
)

// Answers are what the DNS said about TXT records, for who wants to tell it. It
// is safe for concurrent use.
type Answers struct {
	lookup func(ctx context.Context, name string) ([]string, error)
	mu     sync.Mutex
	said   map[string]answer
}

type answer struct {
	texts []string
	err   error
}

// NewAnswers returns the answers of a lookup like Resolver.LookupTXT.
func NewAnswers(lookup func(ctx context.Context, name string) ([]string, error)) *Answers {
	return &Answers{lookup: lookup, said: make(map[string]answer)}
}

// LookupTXT asks and keeps the answer, the last one for each name.
func (a *Answers) LookupTXT(ctx context.Context, name string) ([]string, error) {
	texts, err := a.lookup(ctx, name)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.said[name] = answer{texts, err}
	return texts, err
}

// Of returns the answer for a name, and whether it was asked for.
func (a *Answers) Of(name string) (texts []string, err error, asked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	said, asked := a.said[name]
	return said.texts, said.err, asked
}
