package qmaildkim

import (
	"strings"
	"unicode"
)

// tagList is a list of name=value pairs, as in a signature field and in a key
// record (RFC 6376 section 3.2). Values are without surrounding white space.
type tagList map[string]string

// parseTags reads a tag list. It takes and refuses what go-msgauth does, so
// that both speak of the same signature. Of a malformed list the tags before
// the fault are returned.
func parseTags(s string) (tags tagList, ok bool) {
	tags = make(tagList)
	for pair := range strings.SplitSeq(s, ";") {
		name, value, found := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		if !found {
			if name == "" {
				continue
			}
			return tags, false
		}
		if _, twice := tags[name]; twice {
			return tags, false
		}
		tags[name] = strings.TrimSpace(value)
	}
	return tags, true
}

// text returns a value without any white space, "" when the tag is absent.
func (t tagList) text(name string) string { return stripSpace(t[name]) }

// list returns the parts of a colon-separated value, nil when the tag is
// absent.
func (t tagList) list(name string) []string {
	value, set := t[name]
	if !set {
		return nil
	}
	return strings.Split(stripSpace(value), ":")
}

func stripSpace(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
