package qmail

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadEnvelope(t *testing.T) {
	fits, long := strings.Repeat("a", MaxAddress-1), strings.Repeat("a", MaxAddress)
	tests := []struct {
		name, in string
		want     Envelope
		code     Code
	}{
		{"usual", "Fa@b\x00Tc@d\x00Te\x00\x00", Envelope{"a@b", []string{"c@d", "e"}}, Queued},
		{"null sender", "F\x00Tc@d\x00\x00", Envelope{"", []string{"c@d"}}, Queued},
		{"no recipients", "Fa\x00\x00", Envelope{"a", nil}, Queued},
		{"empty recipient", "Fa\x00T\x00\x00", Envelope{"a", []string{""}}, Queued},
		{"bytes after the end", "Fa\x00Tb\x00\x00Tc\x00", Envelope{"a", []string{"b"}}, Queued},
		{"longest address", "F" + fits + "\x00T" + fits + "\x00\x00", Envelope{fits, []string{fits}}, Queued},
		{"nothing", "", Envelope{}, ReadError},
		{"letter only", "F", Envelope{}, ReadError},
		{"sender not ended", "Fa", Envelope{}, ReadError},
		{"no final NUL", "Fa\x00", Envelope{}, ReadError},
		{"no final NUL after a recipient", "Fa\x00Tb\x00", Envelope{}, ReadError},
		{"longest address not ended", "F" + fits, Envelope{}, ReadError},
		{"wrong letter", "Xa\x00\x00", Envelope{}, BadEnvelope},
		{"wrong letter not ended", "X", Envelope{}, BadEnvelope},
		{"no sender", "\x00", Envelope{}, BadEnvelope},
		{"recipient first", "Tb\x00\x00", Envelope{}, BadEnvelope},
		{"two senders", "Fa\x00Fb\x00\x00", Envelope{}, BadEnvelope},
		{"wrong letter and too long", "X" + long + "\x00", Envelope{}, BadEnvelope},
		{"sender too long", "F" + long + "\x00\x00", Envelope{}, AddressTooLong},
		{"recipient too long", "F\x00T" + long + "\x00\x00", Envelope{}, AddressTooLong},
		{"too long and not ended", "F" + long, Envelope{}, AddressTooLong},
		{"much too long", "F\x00T" + strings.Repeat(long, 10), Envelope{}, AddressTooLong},
	}
	for _, tt := range tests {
		for chunking, r := range map[string]io.Reader{
			"whole": strings.NewReader(tt.in), "bytes": iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			got, err := ReadEnvelope(r)
			if CodeOf(err) != tt.code || err == nil && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s, %s: ReadEnvelope = %.40q, %v; want %.40q, code %d", tt.name, chunking, got, err, tt.want, tt.code)
			}
		}
	}
}

func TestReadEnvelopeError(t *testing.T) {
	fault := errors.New("fault")
	_, err := ReadEnvelope(io.MultiReader(strings.NewReader("Fa\x00T"), iotest.ErrReader(fault)))
	if !errors.Is(err, fault) || CodeOf(err) != ReadError {
		t.Errorf("ReadEnvelope = %v, code %d; want the reader's error as a read error", err, CodeOf(err))
	}
}

// An envelope without end must not be read without end.
func TestReadEnvelopeBound(t *testing.T) {
	records := "F\x00" + strings.Repeat("Ta@b\x00", 1000)
	if e, err := readEnvelope(strings.NewReader(records+"\x00"), 5000); !errors.Is(err, ErrEnvelopeShort) || len(e.Recipients) != 999 {
		t.Errorf("readEnvelope of 5000 bytes of a longer envelope: %d recipients, %v; want 999, %v", len(e.Recipients), err, ErrEnvelopeShort)
	}
}

func FuzzReadEnvelope(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ReadEnvelope(bytes.NewReader(data))
		if err != nil {
			return
		}
		if !bytes.HasPrefix(data, e.Bytes()) {
			t.Fatalf("Bytes = %q, want a prefix of %q", e.Bytes(), data)
		}
		again, err := ReadEnvelope(bytes.NewReader(e.Bytes()))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("ReadEnvelope(%q) = %q, %v; want %q", e.Bytes(), again, err, e)
		}
	})
}
