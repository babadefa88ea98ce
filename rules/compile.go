package rules

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/colinmarc/cdb"
)

// Compile writes the database of the set: records in file order, each range
// expanded, byte-identical to what the C program makes of the same text. It
// writes from offset 0 and does not close w. The error is a *SyntaxError for
// a bad range, ErrTooBig, or w's.
func (s *Set) Compile(w io.WriteSeeker) error {
	c, err := newCompiler(w)
	if err != nil {
		return err
	}
	var data []byte
	for _, rule := range s.Rules {
		data = rule.appendData(data[:0])
		keys, ok := expand([]byte(rule.Address))
		if !ok {
			return &SyntaxError{Line: rule.Line, Text: rule.Address}
		}
		if err := c.add(keys, data); err != nil {
			return err
		}
	}
	return c.finish()
}

// CompileText is Parse and Compile in one pass, which holds one line at a
// time. Errors of r and w are returned as they are.
func CompileText(r io.Reader, w io.WriteSeeker) error {
	c, err := newCompiler(w)
	if err != nil {
		return err
	}
	var data []byte
	s := newScanner(r)
	for {
		l, err := s.next()
		if err == io.EOF {
			return c.finish()
		}
		if err != nil {
			return err
		}
		data = appendAction(data[:0], l.deny)
		for settings := l.settings; len(settings) > 0; {
			name, value, rest, fault := cutVar(settings)
			if fault != FaultNone {
				return l.bad()
			}
			data = appendVar(data, name, value)
			settings = rest
		}
		keys, ok := expand(l.address)
		if !ok {
			return l.bad()
		}
		if err := c.add(keys, data); err != nil {
			return err
		}
	}
}

// appendData appends what the records of the rule say.
func (r Rule) appendData(data []byte) []byte {
	data = appendAction(data, r.Deny)
	for _, v := range r.Env {
		data = appendVar(data, v.Name, v.Value)
	}
	return data
}

func appendAction(data []byte, deny bool) []byte {
	if deny {
		data = append(data, 'D', 0)
	}
	return data
}

func appendVar[T string | []byte](data []byte, name, value T) []byte {
	data = append(append(data, '+'), name...)
	return append(append(append(data, '='), value...), 0)
}

// A compiler writes records through the library and mends the one thing that
// it gets wrong: it takes a hash of 0 for an unused slot, where the format
// says a position of 0.
type compiler struct {
	out   io.WriteSeeker
	w     *cdb.Writer
	pos   uint32 // of the next record
	table []slot // the records of hash table 0, in order
	mend  bool   // one of them has the hash 0
	key   []byte // reused
}

type slot struct{ hash, pos uint32 }

func newCompiler(out io.WriteSeeker) (*compiler, error) {
	c := &compiler{out: out, pos: indexSize}
	w, err := cdb.NewWriter(&output{w: out}, c.hash)
	c.w = w
	return c, err
}

// hash is called by the library once for each record, which is how table 0 is
// known without hashing twice.
func (c *compiler) hash(key []byte) uint32 {
	h := hash(key)
	if h&0xff == 0 {
		c.table = append(c.table, slot{h, c.pos})
		c.mend = c.mend || h == 0
	}
	return h
}

func (c *compiler) add(keys span, data []byte) error {
	if !keys.ranged {
		return c.put(keys.left, data)
	}
	for n := keys.low; n <= keys.top; n++ {
		c.key = keys.key(c.key, n)
		if err := c.put(c.key, data); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) put(key, data []byte) error {
	if err := c.w.Put(key, data); err != nil {
		return tooBig(err)
	}
	c.pos += 8 + uint32(len(key)) + uint32(len(data))
	return nil
}

// finish writes the hash tables and the index.
func (c *compiler) finish() error {
	if err := c.w.Close(); err != nil {
		return tooBig(err)
	}
	if !c.mend {
		return nil
	}
	slots := make([]byte, 16*len(c.table))
	for _, s := range c.table {
		at := int(s.hash>>8) % (2 * len(c.table))
		for binary.LittleEndian.Uint32(slots[8*at+4:]) != 0 {
			at = (at + 1) % (2 * len(c.table))
		}
		binary.LittleEndian.PutUint32(slots[8*at:], s.hash)
		binary.LittleEndian.PutUint32(slots[8*at+4:], s.pos)
	}
	// Table 0 is the first thing after the records.
	if _, err := c.out.Seek(int64(c.pos), io.SeekStart); err != nil {
		return err
	}
	_, err := c.out.Write(slots)
	return err
}

func tooBig(err error) error {
	if errors.Is(err, cdb.ErrTooMuchData) {
		return ErrTooBig
	}
	return err
}

// An output is what the library writes to. It hides the closer of a file,
// which the library would close before it could be synced.
type output struct {
	w       io.WriteSeeker
	started bool
}

func (o *output) Seek(offset int64, whence int) (int64, error) { return o.w.Seek(offset, whence) }

// Write skips over the index of zeros that the library begins with, as the C
// program does: should nothing follow, it would be a valid database in which
// every client is allowed.
func (o *output) Write(p []byte) (int, error) {
	if o.started {
		return o.w.Write(p)
	}
	o.started = true
	if _, err := o.w.Seek(int64(len(p)), io.SeekStart); err != nil {
		return 0, err
	}
	return len(p), nil
}
