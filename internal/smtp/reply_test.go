package smtp

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		code     int
		text     string
		left     string // what the next line reads
	}{
		{"one line", "250 ok\r\n", 250, "250 ok\n", ""},
		{"LF alone", "250 ok\nx", 250, "250 ok\n", "x"},
		{"code alone", "354\r\n", 354, "354\n", ""},
		{"several lines", "250-a\r\n250-b\r\n250 c\r\n220 x", 250, "250-a\n250-b\n250 c\n", "220 x"},
		{"several lines, code alone at last", "250-a\r\n250\r\n", 250, "250-a\n250\n", ""},
		{"CRs anywhere", "2\r50 o\rk\r\r\n", 250, "250 ok\n", ""},
		{"NUL", "550 n\x00o\r\n", 550, "550 n\x00o\n", ""},
		{"codes of one class", "550-a\r\n554 b\r\n", 550, "550-a\n554 b\n", ""},
		{"codes of two classes", "250-a\r\n550 b\r\n250 c\r\n", 0, "250-a\n550 b\n", "250 c\r\n"},
		{"no code", "hello\r\n", 0, "hello\n", ""},
		{"empty line", "\r\n", 0, "\n", ""},
		{"two digits", "25\r\n", 0, "25\n", ""},
		{"four digits", "2500 ok\r\n", 0, "2500 ok\n", ""},
		{"letter in the code", "25x ok\r\n", 0, "25x ok\n", ""},
		{"class 1", "150 wait\r\n", 0, "150 wait\n", ""},
		{"class 6", "650 what\r\n", 0, "650 what\n", ""},
		{"line without a code among others", "250-a\r\nb\r\n250 c\r\n", 0, "250-a\nb\n", "250 c\r\n"},
		{"tab after the code", "250\tok\r\n", 0, "250\tok\n", ""},
		{"longest", "250 " + strings.Repeat("x", MaxReply-7) + "\r\n", 250, "250 " + strings.Repeat("x", MaxReply-7) + "\n", ""},
	}
	for _, tt := range tests {
		for name, r := range map[string]io.Reader{"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in))} {
			in := NewReader(r)
			got, err := in.Read()
			if got.Code != tt.code || got.Text != tt.text || err != nil {
				t.Errorf("%s, %s: %d, %.100q, %v; want %d, %.100q", tt.name, name, got.Code, got.Text, err, tt.code, tt.text)
			}
			if left, _ := io.ReadAll(in.in); string(left) != tt.left {
				t.Errorf("%s, %s: %q is left, want %q", tt.name, name, left, tt.left)
			}
		}
	}
}

func TestReadFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     error
	}{
		{"end", "", io.EOF},
		{"end within a line", "250 ok", io.ErrUnexpectedEOF},
		{"end after a CR", "250 ok\r", io.ErrUnexpectedEOF},
		{"end between lines", "250-a\r\n", io.ErrUnexpectedEOF},
		{"one long line", "250 " + strings.Repeat("x", MaxReply), ErrLongReply},
		{"one too long line", "250 " + strings.Repeat("x", MaxReply-5) + "\r\n", ErrLongReply},
		{"many lines", strings.Repeat("250-\r\n", MaxReply/5+1) + "250 ok\r\n", ErrLongReply},
	} {
		if got, err := NewReader(strings.NewReader(tt.in)).Read(); err != tt.want || got != (Reply{}) {
			t.Errorf("%s: %.100q, %v; want %v", tt.name, got.Text, err, tt.want)
		}
	}
}

// endless says the same for ever.
type endless string

func (e endless) Read(p []byte) (n int, err error) {
	for len(p)-n >= len(e) {
		n += copy(p[n:], e)
	}
	return n, nil
}

// A server that never ends its reply gets no more memory than a limit.
func TestReadIsBounded(t *testing.T) {
	for _, text := range []string{"x", "\r", "250-more\r\n"} {
		in := &io.LimitedReader{R: endless(text), N: 100 * MaxReply}
		_, err := NewReader(in).Read()
		if taken := 100*MaxReply - in.N; err != ErrLongReply || taken > 2*MaxReply {
			t.Errorf("%q: %v after %d bytes", text, err, taken)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("220 mx.example ESMTP\r\n")
	f.Add("250-mx.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n354 go\r\n")
	f.Add("250-a\r\n550 b\r\nrest\r\n25\x00\n\r\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		r := NewReader(strings.NewReader(in))
		for range len(in) + 1 {
			got, err := r.Read()
			if err != nil {
				return
			}
			switch {
			case got.Code != 0 && (got.Code < 200 || got.Code > 599):
				t.Errorf("code %d", got.Code)
			case !strings.HasSuffix(got.Text, "\n") || strings.Contains(got.Text, "\r") || len(got.Text) >= MaxReply:
				t.Errorf("text %q", got.Text)
			}
			if again, err := NewReader(strings.NewReader(got.Text)).Read(); again != got || err != nil {
				t.Errorf("%v, read again: %v, %v", got, again, err)
			}
		}
		t.Error("more replies than bytes")
	})
}
