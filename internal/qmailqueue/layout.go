package qmailqueue

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"ucspi-go/internal/prog"
)

// defaultSplit is the number of directories that mess/ is split into unless
// qmail was built with another conf-split.
const defaultSplit = 23

// splitOf returns how many numbered directories there are in dir: the queue
// itself knows its conf-split.
func splitOf(dir string) (uint64, error) {
	f, err := prog.Open(dir, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return 0, err
	}
	var n uint64
	for _, entry := range entries {
		if _, err := strconv.ParseUint(entry.Name(), 10, 32); err == nil && entry.IsDir() {
			n++
		}
	}
	if n == 0 {
		n = defaultSplit
	}
	return n, nil
}

// Layout makes an empty queue in dir, which is the directory named queue in
// qmail's home: the directories of qmail 1.03, and the FIFO that wakes
// qmail-send. With split, todo and intd are split like mess, as spamcontrol
// and sagredo's qmail have them. It is for tests and private set-ups: all
// belongs to the caller, and not to qmail's users. What exists is kept.
func Layout(dir string, split bool) error {
	numbered := []string{"mess", "info", "local", "remote"}
	flat := []string{"bounce", "lock", "pid"}
	if split {
		numbered = append(numbered, "todo", "intd")
	} else {
		flat = append(flat, "todo", "intd")
	}
	for _, name := range flat {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range numbered {
		for i := range defaultSplit {
			if err := os.MkdirAll(filepath.Join(dir, name, strconv.Itoa(i)), 0o755); err != nil {
				return err
			}
		}
	}
	trigger := filepath.Join(dir, "lock", "trigger")
	if err := syscall.Mkfifo(trigger, 0o622); err != nil && err != syscall.EEXIST {
		return &os.PathError{Op: "mkfifo", Path: trigger, Err: err}
	}
	return nil
}
