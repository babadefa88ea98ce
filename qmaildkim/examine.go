package qmaildkim

import (
	"context"
	"io"
	"strings"
)

// An Examined is a message that a Filter has read and signed or verified, for
// those who want the outcome and not the message passed on.
type Examined struct {
	Report Report

	msg *processed
}

// Examine reads a message from src to its end and signs or verifies it as
// Process does. The error is that of Process; Report is valid with it. Without
// an error the caller closes the result.
func (f *Filter) Examine(ctx context.Context, src io.Reader) (*Examined, error) {
	p, err := f.examine(ctx, src)
	return &Examined{Report: p.report, msg: p}, err
}

// Fields returns the header fields that Process would put on top of the
// message, with LF line ends; empty for none.
func (e *Examined) Fields() string { return e.msg.fields }

// Header returns the value of the topmost field of a name, as Headers does;
// empty when there is none.
func (e *Examined) Header(name string) string {
	if all := e.Headers(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Headers returns the values of the fields of a name, from the top, unfolded
// and without surrounding blanks.
func (e *Examined) Headers(name string) []string {
	var values []string
	for _, f := range e.msg.header.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, strings.TrimSpace(strings.NewReplacer("\r", "", "\n", "").Replace(string(f.value()))))
		}
	}
	return values
}

// Author returns the author's address as the From field has it, without
// comments and display name; empty when it cannot be read. Of several authors
// it is the first.
func (e *Examined) Author() string {
	p := addressParser{lex: addressLexer{text: e.Header("From")}}
	if !p.list() {
		return ""
	}
	return p.first
}

// Original returns a reader of the message as it was read.
func (e *Examined) Original() io.Reader { return e.msg.msg.Reader() }

// Close gives memory and temporary files back.
func (e *Examined) Close() error { return e.msg.msg.Close() }
