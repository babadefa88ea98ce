package qmaildkim

import (
	"strings"

	"ucspi-go/internal/transfer"
)

// The mimeFields of a message say how its body is encoded.
type mimeFields struct {
	contentType, encoding string // empty when absent
}

func newMIMEFields(h *header) (m mimeFields) {
	for _, f := range h.fields {
		switch strings.ToLower(f.name) {
		case "content-type":
			m.contentType = strings.TrimSpace(string(f.value()))
		case "content-transfer-encoding":
			m.encoding = strings.TrimSpace(string(f.value()))
		}
	}
	return m
}

// boundary returns what separates the parts of the body, empty for a body that
// is one part.
func (m mimeFields) boundary() string { return transfer.Boundary(m.contentType) }

// encoded reports whether the whole body is.
func (m mimeFields) encoded() bool {
	return strings.EqualFold(m.encoding, "quoted-printable") || strings.EqualFold(m.encoding, "base64")
}
