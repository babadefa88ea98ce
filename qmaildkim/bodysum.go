package qmaildkim

import (
	"crypto/sha256"
	"encoding"
	"hash"
)

// A bodySum is the SHA-256 of the canonical body that is written to it, also
// of its beginnings of given lengths.
type bodySum struct {
	hash.Hash
	n      int64
	starts []bodyStart
}

// A bodyStart is the first bytes of a body.
type bodyStart struct {
	n   int64  // how many
	sum []byte // their hash; nil while the body is shorter
}

func newBodySum(lengths []int64) *bodySum {
	h := &bodySum{Hash: sha256.New()}
	for _, n := range lengths {
		h.starts = append(h.starts, bodyStart{n: n})
	}
	h.mark()
	return h
}

func (h *bodySum) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := int64(len(rest))
		for _, s := range h.starts {
			if s.n > h.n {
				n = min(n, s.n-h.n)
			}
		}
		h.Hash.Write(rest[:n])
		h.n += n
		rest = rest[n:]
		h.mark()
	}
	return len(p), nil
}

// mark takes the hash for starts that end here.
func (h *bodySum) mark() {
	for i, s := range h.starts {
		if s.n == h.n {
			h.starts[i].sum = h.Sum(nil)
		}
	}
}

// fork returns a hash that goes on from here by itself. Not by hash.Cloner,
// which the frozen cryptography of our binaries does not have.
func (h *bodySum) fork() hash.Hash {
	fork := sha256.New()
	state, err := h.Hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err == nil {
		err = fork.(encoding.BinaryUnmarshaler).UnmarshalBinary(state)
	}
	if err != nil {
		panic("qmaildkim: SHA-256 has no state: " + err.Error())
	}
	return fork
}
