package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// writeCopyright writes the licence of the project and those of everything
// linked into the programs, which must go with them, in the form of
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
// It runs in the source tree.
func (l *linked) writeCopyright(w io.Writer) error {
	var b strings.Builder
	b.WriteString("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: ucspi-go\n" +
		"Comment: the programs are static: parts of the modules below are in them.\n")
	if err := stanza(&b, "*", "ISC", "."); err != nil {
		return err
	}
	for _, m := range l.modules {
		dir, err := source(m)
		if err != nil {
			return err
		}
		if err := stanza(&b, m.path+"/*", m.licence, dir); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// source returns the folder that a module was compiled from.
func source(m module) (string, error) {
	args := []string{"list", "-m", "-f", "{{.Dir}}", m.path}
	if m.path == std {
		args = []string{"env", "GOROOT"}
	}
	out, err := exec.Command("go", args...).Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		return "", fmt.Errorf("release: no source of %s: %w", m.path, err)
	}
	return dir, nil
}

// stanza writes what is said of some files: whose they are, and the text of
// the licence in a folder.
func stanza(b *strings.Builder, files, licence, dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "LICENSE*"))
	if err != nil || len(names) != 1 {
		return fmt.Errorf("release: not one licence in %s: %q", dir, names)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		return err
	}
	owner, body := "", ""
	for line := range strings.Lines(strings.TrimSpace(string(text))) {
		line = strings.TrimRight(line, " \r\n")
		whose, isOwner := strings.CutPrefix(line, "Copyright ")
		switch {
		case isOwner:
			owner += "\n " + strings.TrimPrefix(whose, "(c) ")
		case line != "":
			body += "\n " + line
		case body != "" && !strings.HasSuffix(body, "\n ."):
			body += "\n ."
		}
	}
	if owner == "" {
		return fmt.Errorf("release: %s names no owner", names[0])
	}
	_, err = fmt.Fprintf(b, "\nFiles: %s\nCopyright:%s\nLicense: %s%s\n", files, owner, licence, body)
	return err
}
