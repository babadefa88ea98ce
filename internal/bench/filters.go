package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// filters times the programs that stand in the way of a stream: a long stream
// through pipes, and the start, which every connection pays.
func (b *bench) filters() error {
	size := 1 << 30
	if b.scale > 1 {
		size = 64 << 20
	}
	in := b.file("stream")
	if err := writeStream(in, size); err != nil {
		return err
	}
	defer os.Remove(in)
	for _, f := range []struct {
		command string // with the program's name first
		runs    int
	}{
		{"addcr", 5}, {"delcr", 5}, {"fixcrio cat", 3}, {"recordio cat", 3},
	} {
		name, _, _ := strings.Cut(f.command, " ")
		c := b.peer(name)
		if c == "" {
			continue
		}
		ours := b.bin + "/" + name
		// The last cat ends when the copier of fixcrio or recordio does. CPU
		// time is without that copier's, for which nobody waits.
		stream := func(exe string) func() (sample, error) {
			line := "cat " + in + " | " + exe + strings.TrimPrefix(f.command, name) + " 2>/dev/null | cat >/dev/null"
			return func() (sample, error) { return whole(1, "", "", "sh", "-c", line) }
		}
		err := b.compare(fmt.Sprintf("%s, %d MiB", name, size>>20), b.runs(f.runs),
			contestant{"ours", stream(ours)}, contestant{"ucspi-tcp", stream(c)})
		if err != nil {
			return err
		}
	}
	return b.filterStarts()
}

// filterStarts times programs that have nothing to do.
func (b *bench) filterStarts() error {
	for _, args := range [][]string{{"addcr"}, {"argv0", "true", "true"}, {"recordio", "true"}} {
		c := b.peer(args[0])
		if c == "" {
			continue
		}
		start := func(exe string) func() (sample, error) {
			argv := append([]string{exe}, args[1:]...)
			return func() (sample, error) { return whole(100, "", "", argv...) }
		}
		err := b.compare("start of "+args[0], b.runs(15),
			contestant{"ours", start(b.bin + "/" + args[0])}, contestant{"ucspi-tcp", start(c)})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeStream writes lines of the lengths that mail has.
func writeStream(name string, size int) error {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		b.WriteString(strings.Repeat("x", []int{70, 0, 34, 76, 76, 12, 71, 3}[i%8]))
		b.WriteString([]string{"\r\n", "\n"}[i/8%2])
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for written := 0; written < size; written += 1 << 20 {
		if _, err := f.Write(b.Bytes()[:1<<20]); err != nil {
			return err
		}
	}
	return nil
}
