package rules

import (
	"bytes"
	"sync/atomic"
)

// watch is whether a file sets a variable, which is looked up once for a file.
type watch struct {
	name    string // empty: nobody wants to know
	scanned identity
	sets    atomic.Bool
}

// Watch makes Sets tell about a variable. It must be called before Lookup.
func (l *Live) Watch(name string) { l.watch.name = name }

// Sets reports whether any record of the file of the last lookup sets the
// variable that is watched. It does not look at the file.
func (l *Live) Sets() bool { return l.watch.sets.Load() }

// look looks through a file that was not seen before.
func (w *watch) look(db *DB, id identity) error {
	if w.name == "" || w.scanned == id {
		return nil
	}
	sets, err := db.mentions("+" + w.name + "=")
	if err != nil {
		return err
	}
	w.scanned = id
	w.sets.Store(sets)
	return nil
}

// mentions reports whether text stands anywhere after the index.
func (db *DB) mentions(text string) (bool, error) {
	buf := make([]byte, 64<<10)
	for at := int64(indexSize); at < db.size; at += int64(len(buf) - len(text) + 1) {
		piece := buf[:min(int64(len(buf)), db.size-at)]
		if err := db.read(piece, at); err != nil {
			return false, err
		}
		if bytes.Contains(piece, []byte(text)) {
			return true, nil
		}
	}
	return false, nil
}
