package qmail

import (
	"bufio"
	"errors"
	"io"
)

// Envelope is what descriptor 1 of a queue program carries:
// F sender NUL, T recipient NUL for each recipient, NUL.
type Envelope struct {
	Sender     string
	Recipients []string
}

// MaxAddress is the length in bytes from which qmail-queue refuses an
// envelope address.
const MaxAddress = 1003

// MaxEnvelope bounds in bytes the envelope that ReadEnvelope takes, so that a
// broken caller cannot take all memory. It has room for 100,000 long addresses.
const MaxEnvelope = 128 << 20

// Errors of ReadEnvelope and ScanEnvelope; CodeOf gives their exit codes.
var (
	ErrEnvelopeShort   = errors.New("qmail: envelope ends early")
	ErrEnvelopeRecord  = errors.New("qmail: envelope record is neither F nor T")
	ErrEnvelopeAddress = errors.New("qmail: envelope address too long")
)

// ReadEnvelope reads an envelope up to its final NUL. Bytes after that are
// ignored, but may be taken from r. Errors are the three above, or that of r.
func ReadEnvelope(r io.Reader) (Envelope, error) { return readEnvelope(r, MaxEnvelope) }

func readEnvelope(r io.Reader, limit int64) (Envelope, error) {
	var e Envelope
	err := ScanEnvelope(io.LimitReader(r, limit), func(record []byte) error {
		address := string(record[1 : len(record)-1])
		if record[0] == 'F' {
			e.Sender = address
		} else {
			e.Recipients = append(e.Recipients, address)
		}
		return nil
	})
	return e, err
}

// ScanEnvelope calls visit with each record of an envelope in turn, from its
// letter F or T to its NUL, in constant memory. The final NUL, which is not
// visited, ends it; nil says that it was there. Visit must not keep the
// record; its error ends the scan and is returned. As netqmail's qmail-queue,
// the letter is judged before the length, and the length before the end.
func ScanEnvelope(r io.Reader, visit func(record []byte) error) error {
	br := bufio.NewReaderSize(r, 2*MaxAddress)
	for letter := byte('F'); ; letter = 'T' {
		record, err := br.ReadSlice(0)
		switch {
		case letter == 'T' && len(record) == 1 && record[0] == 0:
			return nil
		case len(record) > 0 && record[0] != letter:
			return ErrEnvelopeRecord
		case len(record) > MaxAddress && (err != nil || len(record) > MaxAddress+1):
			return ErrEnvelopeAddress
		case err == io.EOF:
			return ErrEnvelopeShort
		case err != nil:
			return err
		}
		if err := visit(record); err != nil {
			return err
		}
	}
}

// Bytes returns the envelope as descriptor 1 carries it.
func (e Envelope) Bytes() []byte {
	n := len(e.Sender) + 3
	for _, r := range e.Recipients {
		n += len(r) + 2
	}
	b := append(append(append(make([]byte, 0, n), 'F'), e.Sender...), 0)
	for _, r := range e.Recipients {
		b = append(append(append(b, 'T'), r...), 0)
	}
	return append(b, 0)
}

// CodeOf returns the exit code for an error of ReadEnvelope or ScanEnvelope.
func CodeOf(err error) Code {
	switch {
	case err == nil:
		return Queued
	case errors.Is(err, ErrEnvelopeRecord):
		return BadEnvelope
	case errors.Is(err, ErrEnvelopeAddress):
		return AddressTooLong
	}
	return ReadError
}
