package qmailsmtpd

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// what is sent after DATA, and what the queue program gets
var bodies = []struct {
	name, in, want string
	hops           int
	err            error
}{
	{"empty", ".\r\n", "", 0, nil},
	{"one line", "a\r\n.\r\n", "a\n", 0, nil},
	{"empty lines", "\r\n\r\n.\r\n", "\n\n", 0, nil},
	{"stuffed dot", "..\r\n.\r\n", ".\n", 0, nil},
	{"two stuffed dots", "...\r\n.\r\n", "..\n", 0, nil},
	{"unstuffed dot", ".a\r\n.\r\n", "a\n", 0, nil},
	{"dot inside", "a.\r\n.\r\n", "a.\n", 0, nil},
	{"dot and blank", ". \r\n.\r\n", " \n", 0, nil},
	{"bare CR", "a\rb\r\n.\r\n", "a\rb\n", 0, nil},
	{"CR at line start", "\ra\r\n.\r\n", "\ra\n", 0, nil},
	{"two CR before LF", "a\r\r\n.\r\n", "a\r\n", 0, nil},
	{"three CR before LF", "\r\r\r\n.\r\n", "\r\r\n", 0, nil},
	{"CR CR LF ends a line", "\r\r\n.\r\n", "\r\n", 0, nil},
	{"dot CR text", ".\ra\r\n.\r\n", ".\ra\n", 0, nil},
	{"dot CR CR LF is no end", ".\r\r\n.\r\n", ".\r\n", 0, nil},
	{"dot dot CR", "..\ra\r\n.\r\n", ".\ra\n", 0, nil},
	{"CR dot CR LF is no end", "a\r.\r\n.\r\n", "a\r.\n", 0, nil},
	{"NUL and 8 bit", "\x00\xff\xc3\xa9\r\n.\r\n", "\x00\xff\xc3\xa9\n", 0, nil},
	{"bare LF", "a\nb\r\n.\r\n", "", 0, errBareLF},
	{"LF first", "\n.\r\n", "", 0, errBareLF},
	{"LF dot LF", "a\n.\n", "", 0, errBareLF},
	{"LF dot CR LF", "a\n.\r\n", "", 0, errBareLF},
	{"CR LF dot LF", "a\r\n.\n", "", 0, errBareLF},
	{"dot LF", ".\n", "", 0, errBareLF},
	{"two LF after CR", "a\r\n\n.\r\n", "", 0, errBareLF},
	{"stuffed dot LF", "..\n.\r\n", "", 0, errBareLF},
	{"client gone", "a\r\n", "", 0, io.EOF},
	{"client gone in a line", "a", "", 0, io.EOF},
	{"client gone after CR", "a\r", "", 0, io.EOF},
	{"client gone in the end", "a\r\n.\r", "", 0, io.EOF},
	{"long line", strings.Repeat("x", 100) + "\r\n.\r\n", strings.Repeat("x", 100) + "\n", 0, nil},
	{"only CR", strings.Repeat("\r", 100) + "\n.\r\n", strings.Repeat("\r", 99) + "\n", 0, nil},
	{"hop", "Received: x\r\n.\r\n", "Received: x\n", 1, nil},
	{"hops in any case", "rEcEiVeDx\r\nDELIVERED-TO: a\r\n\r\n.\r\n", "rEcEiVeDx\nDELIVERED-TO: a\n\n", 2, nil},
	{"no hops in the body", "\r\nReceived: x\r\n.\r\n", "\nReceived: x\n", 0, nil},
	{"no hop in mid line", "x Received: x\r\n.\r\n", "x Received: x\n", 0, nil},
	{"no hop after a dot", ".Received: x\r\n.\r\n", "Received: x\n", 0, nil},
	{"hop cut off", "Receive\r\nDelivere\r\n.\r\n", "Receive\nDelivere\n", 0, nil},
	{"hop in a long line", "Received: " + strings.Repeat("x", 90) + "\r\nReceived\r\n.\r\n", "Received: " + strings.Repeat("x", 90) + "\nReceived\n", 2, nil},
}

func TestCopyData(t *testing.T) {
	for _, tt := range bodies {
		for size := 16; size <= 21; size++ {
			// The same case at every place relative to the buffer's edges.
			for shift := range 24 {
				pad, padded := "", ""
				if shift > 0 && tt.hops == 0 {
					pad, padded = strings.Repeat("p", shift)+"\r\n", strings.Repeat("p", shift)+"\n"
				}
				if got, hops, err := copyAll(pad+tt.in, size, false); err != tt.err || err == nil && (got != padded+tt.want || hops != tt.hops) {
					t.Fatalf("%s, buffer of %d: copyData(%q) = %q, %d, %v; want %q, %d, %v", tt.name, size, pad+tt.in, got, hops, err, padded+tt.want, tt.hops, tt.err)
				}
			}
		}
		if got, hops, err := copyAll(tt.in, 64, true); err != tt.err || err == nil && (got != tt.want || hops != tt.hops) {
			t.Errorf("%s, byte by byte: copyData(%q) = %q, %d, %v; want %q, %d, %v", tt.name, tt.in, got, hops, err, tt.want, tt.hops, tt.err)
		}
	}
}

// What follows the end of the data is the next command.
func TestCopyDataStops(t *testing.T) {
	src := bufio.NewReader(strings.NewReader("a\r\n.\r\nQUIT\r\n"))
	if _, err := copyData(src, func([]byte) {}); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(src); string(rest) != "QUIT\r\n" {
		t.Errorf("after the data: %q, want the next command", rest)
	}
}

// copyAll runs copyData with a buffer of size bytes.
func copyAll(in string, size int, oneByte bool) (out string, hops int, err error) {
	var r io.Reader = strings.NewReader(in)
	if oneByte {
		r = iotest.OneByteReader(r)
	}
	var b strings.Builder
	hops, err = copyData(bufio.NewReaderSize(r, size), func(piece []byte) { b.Write(piece) })
	return b.String(), hops, err
}

// reference says what data means, looking at all of it at once. Rest is what
// follows the end.
func reference(data string) (message, rest string, err error) {
	end := len(data)
	ended := true
	if strings.HasPrefix(data, ".\r\n") {
		end = 0
	} else if i := strings.Index(data, "\r\n.\r\n"); i >= 0 {
		end = i + 2
	} else {
		ended = false
	}
	for i := range end {
		if data[i] == '\n' && (i == 0 || data[i-1] != '\r') {
			return "", "", errBareLF
		}
	}
	if !ended {
		return "", "", io.EOF
	}
	lines := strings.Split(data[:end], "\r\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".\r") {
			lines[i] = line[1:]
		}
	}
	return strings.Join(lines, "\n"), data[end+len(".\r\n"):], nil
}

func FuzzCopyData(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		want, _, wantErr := reference(string(data))
		for _, oneByte := range []bool{false, true} {
			got, _, err := copyAll(string(data), int(size), oneByte)
			if err != wantErr || err == nil && got != want {
				t.Fatalf("copyData(%q) with a buffer of %d = %q, %v; want %q, %v", data, size, got, err, want, wantErr)
			}
		}
	})
}

func BenchmarkCopyData(b *testing.B) {
	data := append(bytes.Repeat([]byte("A line of usual length, which is what most mail is made of, more or less.\r\n"), 14000), ".\r\n"...)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	src := bufio.NewReaderSize(nil, maxLine)
	for b.Loop() {
		src.Reset(bytes.NewReader(data))
		if _, err := copyData(src, func([]byte) {}); err != nil {
			b.Fatal(err)
		}
	}
}
