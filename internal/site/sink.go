package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ucspi-go/internal/qmailqueue"
)

// Sink is where the mail of a site ends: what qmail-dkim hands it to.
type Sink string

// The ends that a site can have. The empty Sink is Queue.
const (
	Queue     Sink = "queue"     // qmail-queue, the queue in the home
	Maildir   Sink = "maildir"   // qmail-maildir, the folder Maildir in the home
	Smarthost Sink = "smarthost" // qmail-smarthost, the server at Config.Smarthost
)

// program returns the program of a sink, and an error for what is none.
func (s Sink) program() (string, error) {
	switch s {
	case Queue, "":
		return "qmail-queue", nil
	case Maildir, Smarthost:
		return "qmail-" + string(s), nil
	}
	return "", fmt.Errorf("site: no sink %q: there are %s, %s and %s", string(s), Queue, Maildir, Smarthost)
}

// sink makes what the end of the mail needs.
func (s *Site) sink() error {
	program, err := s.Sink.program()
	if err != nil {
		return err
	}
	if s.Sink == Smarthost && s.Smarthost == "" {
		return errors.New("site: sink smarthost: set SMARTHOST=host:port")
	}
	if !fileExists(filepath.Join(s.Bin, program)) {
		return fmt.Errorf("site: sink %s: there is no %s in %s", s.Sink, program, s.Bin)
	}
	for _, folder := range []string{"tmp", "new", "cur"} {
		if err := os.MkdirAll(filepath.Join(s.Dir, "Maildir", folder), 0o700); err != nil {
			return err
		}
	}
	return qmailqueue.Layout(filepath.Join(s.Dir, "queue"), s.Split)
}

// sinkEnviron returns the settings that lead qmail-dkim to the sink.
func (s *Site) sinkEnviron() []string {
	switch s.Sink {
	case Maildir:
		return []string{"DKIMQUEUE=bin/qmail-maildir", "MAILDIR=Maildir"}
	case Smarthost:
		return []string{"DKIMQUEUE=bin/qmail-smarthost", "SMARTHOST=" + s.Smarthost}
	}
	return nil
}
