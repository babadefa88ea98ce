package qmaildkim

import (
	"bytes"
	"slices"
)

const (
	maxTag  = 64 // bytes of a tag in a subject
	maxTags = 3  // in a row
)

// A subject is what a subject may have been before a relay put a tag into it.
type subject struct {
	value []byte // of the field, with its line end
	how   string // as it follows "with Subject "
}

// untagged returns what the value of a subject field may have been, without
// one to maxTags leading tags, each "[list]" or of that kind, also where they
// stand behind "Re:" or were moved before it.
func untagged(value []byte) []subject {
	var all []subject
	start, text := cutBlanks(value)
	without := func(before, text []byte) {
		for _, rest := range cutTags(text) {
			all = append(all, subject{slices.Concat(start, before, rest), "without " + quote(text[:len(text)-len(rest)])})
		}
	}
	without(nil, text)
	if reply, behind := cutReply(text); len(reply) > 0 {
		without(reply, behind)
	}
	if rests := cutTags(text); len(rests) > 0 {
		tag := text[:len(text)-len(rests[0])]
		if reply, behind := cutReply(rests[0]); len(reply) > 0 {
			all = append(all, subject{slices.Concat(start, reply, tag, behind), "with " + quote(tag) + " behind " + quote(reply)})
		}
	}
	return all
}

// cutTags returns what is left of text without its first tag, without its
// first two, and so on.
func cutTags(text []byte) (rests [][]byte) {
	for range maxTags {
		n := tagLen(text)
		if n == 0 {
			break
		}
		_, text = cutBlanks(text[n:])
		rests = append(rests, text)
	}
	return rests
}

// tagLen returns the length of the tag that text begins with, 0 for none:
// something in brackets or between asterisks.
func tagLen(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	text = text[:min(len(text), maxTag)]
	if text[0] == '*' {
		stars := len(text) - len(bytes.TrimLeft(text, "*"))
		n := bytes.IndexByte(text[stars:], '*')
		if n <= 0 {
			return 0
		}
		n += stars
		return n + len(text[n:]) - len(bytes.TrimLeft(text[n:], "*"))
	}
	open := bytes.IndexByte([]byte("[{(<"), text[0])
	if open < 0 {
		return 0
	}
	return bytes.IndexByte(text, "]})>"[open]) + 1
}

// cutReply cuts the beginning "Re: " or of that kind off a subject.
func cutReply(text []byte) (reply, rest []byte) {
	n := bytes.IndexByte(text, ':')
	if n < 2 || n > 4 {
		return nil, text
	}
	for _, c := range bytes.ToLower(text[:n]) {
		if c < 'a' || c > 'z' {
			return nil, text
		}
	}
	_, rest = cutBlanks(text[n+1:])
	return text[:len(text)-len(rest)], rest
}

// cutBlanks cuts the white space off the beginning of text, folds included,
// but not the line end.
func cutBlanks(text []byte) (blanks, rest []byte) {
	rest = bytes.TrimLeft(text, " \t\r\n")
	if len(rest) == 0 { // the line end is the field's
		rest = text[len(bytes.TrimRight(text, "\r\n")):]
	}
	return text[:len(text)-len(rest)], rest
}
