package rules

import "iter"

// Records yields the decision under each key of the database, in no order and
// each key once: the one that a lookup finds. The error, with which it ends, is
// one of Lookup.
func (db *DB) Records() iter.Seq2[Decision, error] {
	return func(yield func(Decision, error) bool) {
		p := probe{DB: db}
		left := db.size // records are apart from each other
		for t := range 256 {
			start, length := pair(db.index[8*t:])
			for n := range int64(length) {
				d, size, err := p.slot(int64(start)+8*n, uint32(t))
				if left -= size; err == nil && left < 0 {
					err = db.corrupt()
				}
				if err != nil {
					yield(Decision{}, err)
					return
				}
				if d.Found && !yield(d, nil) {
					return
				}
			}
		}
	}
}

// slot returns the decision of the record that the slot at that place in the
// file names, and the record's size; none when a lookup does not find that
// record, but another with its key or none.
func (p *probe) slot(at int64, table uint32) (d Decision, size int64, err error) {
	if err := p.read(p.head[:], at); err != nil {
		return d, 0, err
	}
	h, pos := pair(p.head[:])
	if pos == 0 || h&0xff != table {
		return d, 0, nil
	}
	if err := p.read(p.head[:], int64(pos)); err != nil {
		return d, 0, err
	}
	keyLen, dataLen := pair(p.head[:])
	size = 8 + int64(keyLen) + int64(dataLen)
	if size > p.size {
		return d, size, p.corrupt()
	}
	key := make([]byte, keyLen)
	if err := p.read(key, int64(pos)+8); err != nil {
		return d, size, err
	}
	if hash(key) != h {
		return d, size, nil
	}
	found, dataLen, err := p.find(string(key))
	if err != nil || found != pos {
		return d, size, err
	}
	data, err := p.data(pos, string(key), dataLen)
	if err != nil {
		return d, size, err
	}
	d = Decision{Key: string(key), Found: true}
	d.decide(string(data))
	return d, size, nil
}
