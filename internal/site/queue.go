package site

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Message is one message in the queue, or in the Maildir.
type Message struct {
	Number     uint64 // inode number, as qmail names it
	Sender     string
	Recipients []string
	Text       []byte // as in queue/mess, or in the Maildir without the envelope's fields
}

// Field returns the first header field of that name, name and folding
// included, or "".
func (m Message) Field(name string) string {
	header, _, _ := strings.Cut(string(m.Text), "\n\n")
	var out []string
	for line := range strings.SplitSeq(header, "\n") {
		switch {
		case len(out) > 0 && strings.IndexAny(line, " \t") == 0:
			out = append(out, line)
		case len(out) > 0:
			return strings.Join(out, "\n")
		case len(line) > len(name) && strings.EqualFold(line[:len(name)], name) && line[len(name)] == ':':
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// Queued returns the messages that arrived, by number: in the queue those that
// have an entry in todo, in the Maildir those in new.
func (s *Site) Queued() ([]Message, error) {
	read := s.readQueue
	if s.Sink == Maildir {
		read = s.readMaildir
	}
	out, err := read()
	slices.SortFunc(out, func(a, b Message) int { return cmp.Compare(a.Number, b.Number) })
	return out, err
}

func (s *Site) readQueue() ([]Message, error) {
	queue := filepath.Join(s.Dir, "queue")
	texts := make(map[uint64]string)
	err := walkNumbers(filepath.Join(queue, "mess"), func(n uint64, path string) error {
		texts[n] = path
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []Message
	err = walkNumbers(filepath.Join(queue, "todo"), func(n uint64, path string) error {
		m := Message{Number: n}
		envelope, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for record := range strings.SplitSeq(string(envelope), "\x00") {
			switch {
			case strings.HasPrefix(record, "F"):
				m.Sender = record[1:]
			case strings.HasPrefix(record, "T"):
				m.Recipients = append(m.Recipients, record[1:])
			}
		}
		if m.Text, err = os.ReadFile(texts[n]); err != nil {
			return err
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

// walkNumbers calls f for every file below dir whose name is a number.
func walkNumbers(dir string, f func(n uint64, path string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n, err := strconv.ParseUint(d.Name(), 10, 64)
		if err != nil {
			return nil
		}
		return f(n, path)
	})
}
