package qmailsmtpd

import (
	"io"
	"slices"
	"syscall"
)

// maxEnvelope bounds the recipients of an envelope in bytes, since a session's
// memory grows with them. It has room for 100,000 of usual length.
const maxEnvelope = 4 << 20

// An envelope is that of a transaction. The recipients are records, each T,
// address and NUL, in pieces: the first is kept for the next transaction, and
// the others are outside of the Go heap, which would take its time to give
// them back. An idle session must not hold what a busy one needed.
type envelope struct {
	sender []byte
	count  uint64 // of recipients
	size   int    // of the pieces, in bytes
	first  []byte
	more   [][]byte

	alloc func(size int) ([]byte, error) // in the place of mapPiece, for tests
}

const (
	firstPiece = 1 << 10
	nextPiece  = 64 << 10
)

// start empties the envelope and gives it a sender.
func (e *envelope) start(sender []byte) {
	for _, piece := range e.more {
		syscall.Munmap(piece[:cap(piece)])
	}
	*e = envelope{sender: append(e.sender[:0], sender...), first: e.first[:0], alloc: e.alloc}
}

// full reports whether there is no room for the recipient address+suffix.
func (e *envelope) full(address []byte, suffix string) bool {
	return e.size+recordSize(address, suffix) > maxEnvelope
}

func recordSize(address []byte, suffix string) int { return 1 + len(address) + len(suffix) + 1 }

// add adds the recipient address+suffix. The error is that there is no memory.
func (e *envelope) add(address []byte, suffix string) error {
	n := recordSize(address, suffix)
	last := &e.first
	if e.first == nil {
		e.first = make([]byte, 0, firstPiece)
	}
	if len(e.more) > 0 {
		last = &e.more[len(e.more)-1]
	}
	if len(*last)+n > cap(*last) {
		alloc := e.alloc
		if alloc == nil {
			alloc = mapPiece
		}
		piece, err := alloc(max(nextPiece, n))
		if err != nil {
			return err
		}
		e.more = append(e.more, piece[:0])
		last = &e.more[len(e.more)-1]
	}
	*last = append(append(append(append(*last, 'T'), address...), suffix...), 0)
	e.count++
	e.size += n
	return nil
}

func mapPiece(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// writeTo writes the envelope as descriptor 1 of a queue program carries it.
func (e *envelope) writeTo(w io.Writer) error {
	sender := append(append([]byte("F"), e.sender...), 0)
	for _, piece := range slices.Concat([][]byte{sender, e.first}, e.more, [][]byte{{0}}) {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}
