package mailpath

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"ucspi-go/internal/smtp"
)

// A client speaks SMTP as the one in question would. Unlike smtp.Client it
// sends a message as it is, bare CRs included.
type client struct {
	conn io.ReadWriter
	in   *smtp.Reader
}

// ask sends a command, unless it is empty, and returns the reply.
func (c client) ask(words ...string) (smtp.Reply, error) {
	var line []byte
	for _, word := range words {
		line = append(line, word...)
	}
	if len(line) > 0 {
		if _, err := c.conn.Write(append(line, "\r\n"...)); err != nil {
			return smtp.Reply{}, err
		}
	}
	return c.in.Read()
}

// A messageError is the error of reading the message.
type messageError struct{ error }

// send sends the message after the reply to DATA: each line with CR LF at its
// end, whether it has LF or that, and a second dot before one that begins it.
// A last line that has no end gets one.
func (c client) send(message io.Reader) error {
	in, out := bufio.NewReaderSize(message, 64<<10), bufio.NewWriterSize(c.conn, 64<<10)
	start, cr := true, false // of a line; the last byte was a CR
	for {
		part, err := in.ReadSlice('\n')
		if err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull) {
			return messageError{err}
		}
		if start && len(part) > 0 && part[0] == '.' {
			out.WriteByte('.')
		}
		line, ended := bytes.CutSuffix(part, []byte("\n"))
		if len(line) > 0 {
			cr = line[len(line)-1] == '\r'
		} else if start {
			cr = false
		}
		out.Write(line)
		end := "\r\n"
		if cr {
			end = "\n"
		}
		if start = ended || start && len(part) == 0; ended {
			out.WriteString(end)
		}
		if err == io.EOF {
			if !start {
				out.WriteString("\r\n")
			}
			out.WriteString(".\r\n")
			return out.Flush()
		}
	}
}
