package qmaildkim

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// cacheHead is the first line; another format has another number.
	cacheHead = "qmail-dkim preflight 1\n"

	// maxCache bounds the file, in bytes: some 600 keys. With a key that signs
	// every domain, strangers choose the names.
	maxCache = 64 << 10
)

// A cacheEntry is what is published of one key.
type cacheEntry struct {
	name  string // where it is published
	key   string // its fingerprint: a new key at the same selector is another
	state string // of Publication; empty for unknown
	until int64  // in seconds since 1970; the answer counts before that

	kept time.Duration // of an answer that is not stored yet; 0 for one that is
}

// fingerprint tells one public key from another.
func fingerprint(public crypto.PublicKey) string {
	algorithm, value := algorithmOf(public)
	sum := sha256.Sum256([]byte(algorithm + " " + value))
	return hex.EncodeToString(sum[:16])
}

// fresh reports whether an answer still counts. One from the future is that of
// a clock that was wrong.
func (e cacheEntry) fresh(now time.Time) bool {
	return now.Unix() < e.until && e.until <= now.Add(maxKept).Unix()
}

// formatCache returns the file of entries, those that last longest first; what
// does not fit is left out.
func formatCache(entries []cacheEntry) []byte {
	slices.SortStableFunc(entries, func(a, b cacheEntry) int { return cmp.Compare(b.until, a.until) })
	data := []byte(cacheHead)
	for _, e := range entries {
		line := strconv.FormatInt(e.until, 10) + " " + e.state + " " + e.key + " " + e.name + "\n"
		if len(data)+len(line) > maxCache {
			break
		}
		data = append(data, line...)
	}
	return data
}

// parseCache reads a file of formatCache. Ok is false for anything else: half
// a truth is none.
func parseCache(data []byte) (entries []cacheEntry, ok bool) {
	rest, ok := bytes.CutPrefix(data, []byte(cacheHead))
	if !ok || len(data) > maxCache {
		return nil, false
	}
	for line := range strings.Lines(string(rest)) {
		line, ended := strings.CutSuffix(line, "\n")
		words := strings.Split(line, " ")
		if !ended || len(words) != 4 {
			return nil, false
		}
		until, err := strconv.ParseInt(words[0], 10, 64)
		e := cacheEntry{until: until, state: words[1], key: words[2], name: words[3]}
		if err != nil || !slices.Contains(publishedStates, e.state) || !isFingerprint(e.key) || e.name == "" {
			return nil, false
		}
		entries = append(entries, e)
	}
	return entries, true
}

var publishedStates = []string{PublishedMatch, PublishedMissing, PublishedDiffers, PublishedRevoked, PublishedTemporary}

func isFingerprint(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 16
}
