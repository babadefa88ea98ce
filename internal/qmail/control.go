package qmail

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
)

// DefaultHome is where qmail lives when QMAILHOME is not set.
const DefaultHome = "/var/qmail"

// Home returns the directory that relative paths start from: $QMAILHOME when
// set and not empty, else DefaultHome. A set-user-ID program ignores the
// variable, since its caller must not choose the queue.
func Home(lookup func(string) (string, bool)) string {
	if home, _ := lookup("QMAILHOME"); home != "" && syscall.Getuid() == syscall.Geteuid() {
		return home
	}
	return DefaultHome
}

// Control is a directory of control files.
type Control string

// ControlDir returns the control directory: $CONTROLDIR when set and not
// empty, else "control", from home unless absolute.
func ControlDir(home string, lookup func(string) (string, bool)) Control {
	dir, _ := lookup("CONTROLDIR")
	if dir == "" {
		dir = "control"
	}
	return Control(At(home, dir))
}

// At returns name from dir, or name itself when it is absolute.
func At(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// Lines returns the lines of a control file without trailing blanks, empty
// lines and lines starting with "#". Found is false, with no error, when the
// file does not exist; an existing empty file gives no lines and found.
// As qmail's control_readfile.
func (c Control) Lines(name string) (lines []string, found bool, err error) {
	data, err := prog.ReadFile(filepath.Join(string(c), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for text := range bytes.Lines(data) {
		if line, counts := ControlLine(string(text)); counts {
			lines = append(lines, line)
		}
	}
	return lines, true, nil
}

// ControlLine returns a line of a control file as Lines does. Counts is false
// for one that Lines leaves out.
func ControlLine(text string) (line string, counts bool) {
	line = strings.TrimRight(text, " \t\n")
	return line, line != "" && line[0] != '#'
}

// Line returns the first line of a control file without trailing blanks, as
// qmail's control_readline. Found is false, with no error, when the file does
// not exist.
func (c Control) Line(name string) (line string, found bool, err error) {
	data, err := prog.ReadFile(filepath.Join(string(c), name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	line, _, _ = strings.Cut(string(data), "\n")
	return strings.TrimRight(line, " \t\n"), true, nil
}
