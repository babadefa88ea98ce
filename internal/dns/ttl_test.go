package dns_test

import (
	"testing"
	"time"
)

// An answer lasts as long as the shortest link of its chain of aliases.
func TestTTL(t *testing.T) {
	t.Parallel()
	r, _ := start(t, `
plain.example TXT x
week.example 604800 IN TXT x
zero.example 0 TXT x
alias.example 30 CNAME week.example
long.example 700000 CNAME week.example
most.example 2147483647 TXT x
sign.example 2147483648 TXT x
none.example 99 A 192.0.2.1
`)
	for name, want := range map[string]time.Duration{
		"plain.example": time.Minute, "week.example": 7 * 24 * time.Hour, "zero.example": 0,
		"alias.example": 30 * time.Second, "long.example": 7 * 24 * time.Hour,
		"most.example": (1<<31 - 1) * time.Second, "sign.example": 0, // RFC 2181 section 8
	} {
		if texts, ttl, err := r.LookupTXTWithTTL(t.Context(), name); err != nil || len(texts) != 1 || ttl != want {
			t.Errorf("%s: %q, %v, %v; want %v", name, texts, ttl, err, want)
		}
	}
	for _, name := range []string{"none.example", "unknown.example"} {
		if texts, ttl, err := r.LookupTXTWithTTL(t.Context(), name); err != nil || len(texts) != 0 || ttl != 0 {
			t.Errorf("%s: %q, %v, %v; want none", name, texts, ttl, err)
		}
	}
}
