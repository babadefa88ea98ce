package site

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

func (s *Site) readMaildir() ([]Message, error) {
	dir := filepath.Join(s.Dir, "Maildir", "new")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []Message
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var st syscall.Stat_t
		if err := syscall.Stat(name, &st); err != nil {
			return nil, &os.PathError{Op: "stat", Path: name, Err: err}
		}
		m := Message{Number: st.Ino, Text: text}
		m.takeEnvelope()
		out = append(out, m)
	}
	return out, nil
}

// takeEnvelope takes the fields off that qmail-maildir has put on top.
func (m *Message) takeEnvelope() {
	line := func(name string) (value string, found bool) {
		first, rest, ok := bytes.Cut(m.Text, []byte("\n"))
		value, found = strings.CutPrefix(string(first), name+": ")
		if ok && found {
			m.Text = rest
		}
		return value, ok && found
	}
	sender, _ := line("Return-Path")
	m.Sender = strings.TrimSuffix(strings.TrimPrefix(sender, "<"), ">")
	for {
		recipient, found := line("Delivered-To")
		if !found {
			return
		}
		m.Recipients = append(m.Recipients, recipient)
	}
}
