package qmaildkim

import (
	"bytes"
	"strings"

	"ucspi-go/internal/canon"
)

// foldEdits returns the header folded otherwise, which matters to the simple
// canonicalization alone: all fields, these and the signature's own, or one of
// them.
func (f headerForm) foldEdits() (edits []headerEdit) {
	if f.algorithm != canon.Simple {
		return nil
	}
	edit := func(how string, apply func(headerForm) headerForm) {
		edits = append(edits, headerEdit{alteration{"folding", "with " + how, "fields were folded anew"}, apply})
	}
	for _, fold := range foldings {
		edit(fold.how, func(f headerForm) headerForm { return f.each(fold.apply) })
		edit(fold.how, func(f headerForm) headerForm {
			f.signature = fold.apply(f.signature)
			return f.each(fold.apply)
		})
	}
	for i, field := range f.fields[:min(len(f.fields), maxFieldEdits)] {
		for _, fold := range foldings {
			if raw := fold.apply(field.raw); !bytes.Equal(raw, field.raw) {
				edit(fold.how+" in "+quote(field.title()), func(f headerForm) headerForm { return f.replace(i, raw) })
			}
		}
	}
	return edits
}

// A folding is a way to fold fields.
type folding struct {
	how   string
	apply func(raw []byte) []byte
}

var foldings = []folding{
	{"unfolded fields", func(raw []byte) []byte { return joinFolds(raw, "") }},
	{"fields unfolded to single spaces", func(raw []byte) []byte { return joinFolds(raw, " ") }},
	{"fields folded with a space", func(raw []byte) []byte { return joinFolds(raw, "\n ") }},
	{"fields folded with a tab", func(raw []byte) []byte { return joinFolds(raw, "\n\t") }},
	{"lists folded with a space", func(raw []byte) []byte { return foldList(raw, "\n ") }},
	{"lists folded with a tab", func(raw []byte) []byte { return foldList(raw, "\n\t") }},
}

// joinFolds puts join for each line end that folds a field and the white space
// behind it; for no join the white space stays.
func joinFolds(raw []byte, join string) []byte {
	var b []byte
	for line := range bytes.Lines(raw) {
		if len(b) > 0 {
			if join != "" {
				line = bytes.TrimLeft(line, " \t")
			}
			b = append(b, join...)
		}
		b = append(b, bytes.TrimRight(line, "\r\n")...)
	}
	return append(b, '\n')
}

// foldList folds a field behind each comma.
func foldList(raw []byte, fold string) []byte {
	return []byte(strings.ReplaceAll(string(joinFolds(raw, " ")), ", ", ","+fold))
}
