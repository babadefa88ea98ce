package qmaildkim

import (
	"io"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// BenchmarkSign signs messages with an RSA key of 1024 bits, the key read anew
// for each as a process does.
func BenchmarkSign(b *testing.B) {
	environ := rules.Environ{"QMAILHOME=" + keyHome(b), "RELAYCLIENT=", "TMPDIR=" + b.TempDir()}
	for _, size := range []int{2 << 10, 20 << 10, 1 << 20, 25 << 20} {
		msg := plain + strings.Repeat("A line of text as mail has it, of about sixty-four bytes each.\n", size/64)
		b.Run(strconv.Itoa(size>>10)+"KiB", func(b *testing.B) {
			c, err := ConfigFrom(environ)
			if err != nil {
				b.Fatal(err)
			}
			f := &Filter{Config: c}
			b.ReportAllocs()
			b.SetBytes(int64(len(msg)))
			for b.Loop() {
				if _, err := f.Process(b.Context(), io.Discard, strings.NewReader(msg)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
