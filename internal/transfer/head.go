package transfer

import (
	"bytes"
	"mime"
	"strings"
)

// field returns the value of the first field of a name in the header of a
// part, without white space around it, and where it is.
func field(head []byte, name string) (value string, at int) {
	for start := 0; start < len(head); {
		end := start
		for {
			n := bytes.IndexByte(head[end:], '\n')
			if n < 0 {
				end = len(head)
				break
			}
			end += n + 1
			if end == len(head) || head[end] != ' ' && head[end] != '\t' {
				break
			}
		}
		if n := bytes.IndexByte(head[start:end], ':'); n >= 0 && strings.EqualFold(string(bytes.TrimRight(head[start:start+n], " \t")), name) {
			text := head[start+n+1 : end]
			trimmed := bytes.TrimLeft(text, " \t\r\n")
			at = end - len(trimmed)
			return string(bytes.TrimRight(trimmed, " \t\r\n")), at
		}
		start = end
	}
	return "", 0
}

// Boundary returns what separates the parts of a body whose message has this
// Content-Type, empty for a body that is one part.
func Boundary(contentType string) string {
	_, boundary := mediaType(contentType)
	return boundary
}

// mediaType returns the type that a Content-Type names, in lower case, and
// the boundary of a multipart. Both are empty for what is none.
func mediaType(contentType string) (kind, boundary string) {
	if len(contentType) > maxLine {
		return "", ""
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return kind, ""
	}
	// White space at its end cannot be told from that of a line.
	if !strings.HasPrefix(kind, "multipart/") {
		return kind, ""
	}
	if boundary = params["boundary"]; boundary != strings.TrimRight(boundary, " \t\r\n") {
		boundary = ""
	}
	return kind, boundary
}
