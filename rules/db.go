package rules

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"sync"
)

const (
	indexSize = 256 * 8 // bytes: position and length of each hash table

	// maxData is the longest record that is believed, in bytes. The kernel
	// starts no program with an environment of that size.
	maxData = 16 << 20
)

// A DB is an open rules database. Its methods may be called concurrently,
// except Close.
type DB struct {
	name  string
	r     io.ReaderAt // closed by Close if it has a closer
	size  int64       // bytes
	index [indexSize]byte

	once sync.Once // for held
	held *held
}

// Open opens the database of that name. The error wraps that of the system,
// such as fs.ErrNotExist, or ErrCorrupt for a file that is none.
func Open(name string) (*DB, error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	db, err := NewDB(name, f, f.stat.Size)
	if err != nil {
		f.Close()
	}
	return db, err
}

// NewDB returns the database in r, of size bytes. Its errors name it by name,
// and Close closes r if that has a closer.
func NewDB(name string, r io.ReaderAt, size int64) (*DB, error) {
	db := &DB{name: name, r: r, size: size}
	if err := db.read(db.index[:], 0); err != nil {
		return nil, err
	}
	// What a crash leaves of a file that was not synced, or a writer that is
	// not done, is zeros. Unlike in the C program, that allows nobody.
	if db.index == [indexSize]byte{} {
		return nil, db.corrupt()
	}
	// The tables stand at the end, so this finds every file that is cut short.
	for t := range 256 {
		start, length := pair(db.index[8*t:])
		if int64(start)+8*int64(length) > size {
			return nil, db.corrupt()
		}
	}
	return db, nil
}

// IsDatabase reports whether the content of a file is a database rather than a
// text, damaged or not: its index has bytes of 0, since no file has so many
// large tables that none were, and a text has none.
func IsDatabase(data []byte) bool {
	return len(data) >= indexSize && bytes.IndexByte(data[:indexSize], 0) >= 0
}

// Close closes the file. No lookup may be in progress or follow.
func (db *DB) Close() error {
	if c, ok := db.r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Lookup returns the decision for a client: that of the first record found in
// search order. "No instruction" differs from "not found" in Found. After an
// error, which names the file, nothing is known and the client must not pass.
func (db *DB) Lookup(c Client) (Decision, error) {
	d := Decision{Tried: make([]string, 0, 8)}
	p := probe{DB: db}
	var err error
	c.search(db, func(key string) (more bool) {
		d.Tried = append(d.Tried, key)
		var data []byte
		if data, d.Found, err = p.get(key); d.Found {
			d.Key = key
			d.decide(string(data))
		}
		return err == nil && !d.Found
	})
	if err != nil {
		return Decision{}, err
	}
	return d, nil
}

// Has reports whether there is a record with that key. It serves qmail's
// other databases of the same form, such as control/morercpthosts.cdb.
func (db *DB) Has(key string) (bool, error) {
	p := probe{DB: db}
	_, found, err := p.get(key)
	return found, err
}

// read fills buf from offset at.
func (db *DB) read(buf []byte, at int64) error {
	if at > db.size-int64(len(buf)) {
		return db.corrupt()
	}
	// Less than there was at first: somebody cuts the file under us.
	if n, err := db.r.ReadAt(buf, at); n < len(buf) {
		if err == io.EOF {
			return db.corrupt()
		}
		return &fs.PathError{Op: "read", Path: db.name, Err: err}
	}
	return nil
}

func (db *DB) corrupt() error {
	return &fs.PathError{Op: "read", Path: db.name, Err: ErrCorrupt}
}

// A probe asks for keys one after the other. It exists for its buffers.
type probe struct {
	*DB
	slots [256]byte // 32 at a time: most tables are shorter
	head  [8]byte
	key   []byte
}

// get returns the data of the first record with that key. The time is at most
// linear in the size of the key's table, the memory in that of key and data.
func (p *probe) get(key string) (data []byte, found bool, err error) {
	pos, size, err := p.find(key)
	if err != nil || pos == 0 {
		return nil, false, err
	}
	data, err = p.data(pos, key, size)
	return data, true, err
}

// find returns the position of the first record with that key, 0 for none,
// and the size of its data.
func (p *probe) find(key string) (pos, size uint32, err error) {
	h := hash(key)
	start, length := pair(p.index[h&0xff*8:])
	if length == 0 {
		return 0, 0, nil
	}
	at := h >> 8 % length
	var slots []byte
	for range length {
		if len(slots) == 0 {
			slots = p.slots[:min(len(p.slots), 8*int(length-at))]
			if err := p.read(slots, int64(start)+8*int64(at)); err != nil {
				return 0, 0, err
			}
		}
		slotHash, pos := pair(slots)
		if pos == 0 {
			return 0, 0, nil
		}
		if slotHash == h {
			if size, found, err := p.record(pos, key); found || err != nil {
				return pos, size, err
			}
		}
		slots = slots[8:]
		if at++; at == length {
			at = 0
		}
	}
	// Every writer leaves half of a table unused.
	return 0, 0, p.corrupt()
}

// record returns the size of the data of the record at pos if key is its key.
func (p *probe) record(pos uint32, key string) (size uint32, found bool, err error) {
	at := int64(pos)
	if err := p.read(p.head[:], at); err != nil {
		return 0, false, err
	}
	keyLen, dataLen := pair(p.head[:])
	if int64(keyLen) != int64(len(key)) {
		return 0, false, nil
	}
	if cap(p.key) < len(key) {
		p.key = make([]byte, max(64, len(key)))
	}
	got := p.key[:len(key)]
	if err := p.read(got, at+8); err != nil {
		return 0, false, err
	}
	return dataLen, string(got) == key, nil
}

// data returns the data of a record that find has found.
func (p *probe) data(pos uint32, key string, size uint32) ([]byte, error) {
	at := int64(pos) + 8 + int64(len(key))
	if size > maxData || at > p.size-int64(size) {
		return nil, p.corrupt()
	}
	data := make([]byte, size)
	return data, p.read(data, at)
}

func pair(b []byte) (uint32, uint32) {
	return binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
}

// hash is that of cdb.
func hash[T string | []byte](key T) uint32 {
	h := uint32(5381)
	for i := range len(key) {
		h = h*33 ^ uint32(key[i])
	}
	return h
}
