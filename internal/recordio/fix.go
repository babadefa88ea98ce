package recordio

import "ucspi-go/internal/crlf"

// fixSize is how much fixcrio reads at once: what a pipe holds.
const fixSize = 64 << 10 // bytes

// fixer returns the conversions of fixcrio.
func fixer(string) (in, out conversion) { return fix(), fix() }

func fix() conversion {
	var f crlf.Fixer
	buf := make([]byte, 0, 2*fixSize+1)
	return conversion{
		size:    fixSize,
		convert: func(data []byte) []byte { return f.Append(buf, data) },
		end:     func() {},
	}
}
