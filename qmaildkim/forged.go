package qmaildkim

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"strings"

	"ucspi-go/internal/spool"
)

// Limits of the search for forged fields where a header is too large to be
// held.
const (
	maxForgedField = 4 << 10   // bytes of a field that are looked at
	maxCut         = maxFields // spans; from then on what is between two goes too
)

// forged returns where the fields are that only this program may write: each
// DKIM-Status, and each Authentication-Results in the name of id. A header
// beyond the limits is searched to its end, since more fields must not be a
// way to get one through.
func forged(h *header, msg *spool.Spool, id string) []span {
	var c cutter
	fields := h.fields
	if h.over { // the last one may be cut off
		fields = fields[:len(fields)-1]
	}
	for i, f := range fields {
		// A first line that continues nothing would continue our own field.
		if i == 0 && (f.raw[0] == ' ' || f.raw[0] == '\t') || isForged(f, id) {
			c.cut(f.at, f.at+int64(len(f.raw)))
		}
	}
	if h.over {
		c.search(msg, h.fields[len(fields)].at, id)
	}
	return c.spans
}

// isForged reports whether a field is one that only this program may write,
// or would hold one if a bare CR became a line end, as it may on its way.
func isForged(f field, id string) bool {
	whole := true
	for part := range f.parts() {
		name := libraryName(part)
		if strings.EqualFold(name, statusField) ||
			id != "" && strings.EqualFold(name, resultsField) && (!whole || claims(string(f.value()), id)) {
			return true
		}
		whole = false
	}
	return false
}

// parts yields a field and then what would be fields behind each bare CR in it.
func (f field) parts() iter.Seq[field] {
	return func(yield func(field) bool) {
		if !yield(f) {
			return
		}
		_, rest, bare := bytes.Cut(f.raw, []byte("\r"))
		for bare {
			var line []byte
			if line, rest, bare = bytes.Cut(rest, []byte("\r")); len(line) == 0 || strings.IndexByte(" \t\n", line[0]) >= 0 {
				continue // a fold, or the LF of a line end
			}
			if !yield(field{raw: line}) {
				return
			}
		}
	}
}

// A cutter collects what is to be left out of a message, in order.
type cutter struct{ spans []span }

func (c *cutter) cut(from, to int64) {
	last := len(c.spans) - 1
	if last >= 0 && (c.spans[last].to == from || len(c.spans) == maxCut) {
		c.spans[last].to = to
		return
	}
	c.spans = append(c.spans, span{from, to})
}

// search cuts the forged fields from offset at, where one starts, to the end
// of the header. A message that cannot be read is not handed over either.
func (c *cutter) search(msg *spool.Spool, at int64, id string) {
	r := bufio.NewReaderSize(msg.Section(at, msg.Size()-at), maxForgedField)
	start := at // of the field in raw
	var raw []byte
	judge := func() {
		f := field{raw: raw}
		if isForged(f, id) || len(raw) == maxForgedField && hidesID(f, id) {
			c.cut(start, at)
		}
	}
	inLine := false
	for {
		part, err := r.ReadSlice('\n')
		if !inLine && (isBlank(part) || err == io.EOF && len(part) == 0) {
			judge()
			return
		}
		if !inLine && part[0] != ' ' && part[0] != '\t' {
			judge()
			start, raw = at, raw[:0]
		}
		raw = append(raw, part[:min(len(part), maxForgedField-len(raw))]...)
		at += int64(len(part))
		inLine = err == bufio.ErrBufferFull
		if err != nil && !inLine {
			judge()
			return
		}
	}
}

// hidesID reports whether a field that is only known in part may claim id
// further on.
func hidesID(f field, id string) bool {
	if id == "" || !strings.EqualFold(libraryName(f), resultsField) {
		return false
	}
	_, ok := authServID(string(f.value()))
	return !ok
}
