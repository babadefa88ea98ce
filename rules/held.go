package rules

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
)

// maxScan is the size in bytes of the records that are read to find out what
// a database holds: some 40,000 rules, a millisecond once for each new file. To
// search a larger one for every block costs each lookup 30 microseconds.
const maxScan = 4 << 20

// held says which keys that ucspi-tcp 0.88 does not know a database may hold.
// Most hold none, and then nothing is searched for them.
type held struct {
	blocks4  [33]bool  // CIDR for IPv4, by the length of the prefix
	blocks6  [129]bool // CIDR for IPv6
	expanded bool      // addresses as ucspi-tcp6 writes them
}

// anything is what a database may hold of which nothing is known.
var anything = sync.OnceValue(func() *held {
	h := held{expanded: true}
	for n := range h.blocks4 {
		h.blocks4[n] = true
	}
	for n := range h.blocks6 {
		h.blocks6[n] = true
	}
	return &h
})

// holds reads all keys, once for an open database. One that is too large for
// that, or not in the form in which tcprules writes, may hold anything, and so
// may none.
func (db *DB) holds() *held {
	if db == nil {
		return anything()
	}
	db.once.Do(func() {
		db.held = anything()
		if h, ok := db.scan(); ok {
			db.held = &h
		}
	})
	return db.held
}

// scan goes through the records, which stand before the hash tables. That it
// has met all of them is known from the tables, which have two slots for each.
func (db *DB) scan() (h held, ok bool) {
	end, slots := db.size, int64(0)
	for t := range 256 {
		if start, length := pair(db.index[8*t:]); length > 0 {
			end = min(end, int64(start))
			slots += int64(length)
		}
	}
	size := end - indexSize
	if size > maxScan || slots == 0 {
		return h, slots == 0
	}
	r := bufio.NewReaderSize(io.NewSectionReader(db.r, indexSize, size), 16<<10)
	for ; slots > 0; slots -= 2 {
		head, err := r.Peek(8)
		if err != nil {
			return h, false
		}
		keyLen, dataLen := binary.LittleEndian.Uint32(head), binary.LittleEndian.Uint32(head[4:])
		// A longer key is none of these.
		key, err := r.Peek(8 + int(min(keyLen, 257+1+longestKey)))
		if err != nil {
			return h, false
		}
		h.add(key[8:])
		if _, err := r.Discard(8 + int(keyLen) + int(dataLen)); err != nil {
			return h, false
		}
	}
	_, err := r.Peek(1)
	return h, err == io.EOF
}

const (
	longestKey  = 1 + 128
	expandedLen = len("2001:0DB8:0000:0000:0000:0000:0000:0001")
)

func (h *held) add(key []byte) {
	switch n := len(key); {
	case n == 0:
	case key[0] == mark4 && n <= len(h.blocks4):
		h.blocks4[n-1] = true
	case key[0] == mark6 && n <= len(h.blocks6):
		h.blocks6[n-1] = true
	case n >= expandedLen && key[n-5] == ':':
		h.expanded = true
	}
}
