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

// MaxEnvelope bounds an envelope in bytes, so that a broken caller cannot
// take all memory. It has room for 100,000 long addresses.
const MaxEnvelope = 128 << 20

// Errors of ReadEnvelope; CodeOf gives their exit codes.
var (
	ErrEnvelopeShort   = errors.New("qmail: envelope ends early")
	ErrEnvelopeRecord  = errors.New("qmail: envelope record is neither F nor T")
	ErrEnvelopeAddress = errors.New("qmail: envelope address too long")
)

// ReadEnvelope reads an envelope up to its final NUL. Bytes after that are
// not read by intention, but may be taken from r. Errors are the three above,
// or that of r.
func ReadEnvelope(r io.Reader) (Envelope, error) {
	var e Envelope
	br := bufio.NewReader(io.LimitReader(r, MaxEnvelope))
	next := func() (string, error) {
		s, err := br.ReadString(0)
		if err == io.EOF {
			return "", ErrEnvelopeShort
		}
		if err != nil {
			return "", err
		}
		if len(s) > MaxAddress+1 {
			return "", ErrEnvelopeAddress
		}
		return s[:len(s)-1], nil
	}
	s, err := next()
	if err != nil {
		return e, err
	}
	if s == "" || s[0] != 'F' {
		return e, ErrEnvelopeRecord
	}
	e.Sender = s[1:]
	for {
		s, err := next()
		switch {
		case err != nil:
			return e, err
		case s == "":
			return e, nil
		case s[0] != 'T':
			return e, ErrEnvelopeRecord
		}
		e.Recipients = append(e.Recipients, s[1:])
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

// CodeOf returns the exit code for an error of ReadEnvelope.
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
