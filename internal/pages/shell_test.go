package pages

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// patience bounds a command, so that one that hangs fails its test instead of
// stopping it.
const patience = 2 * time.Minute

// A shell runs the commands of a page one after the other, so that what one
// sets or where it goes to holds for the next.
type shell struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	r   *os.File
}

// mark ends the output of each command.
const mark = "\x01end\n"

func startShell(t *testing.T, dir string, environ []string) *shell {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh")
	cmd.Dir, cmd.Env = dir, environ
	cmd.Stdout, cmd.Stderr = w, w
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
		r.Close()
	})
	return &shell{t, in, bufio.NewReader(r), r}
}

// run returns what a command prints, to standard output and error.
func (s *shell) run(command string) string {
	s.t.Helper()
	s.r.SetReadDeadline(time.Now().Add(patience))
	// Standard input is the commands.
	io.WriteString(s.in, "{ "+command+"\n} </dev/null\nprintf '\\001end\\n'\n")
	var out strings.Builder
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			s.t.Fatalf("%s\nprints %q and then: %v", command, out.String(), err)
		}
		text, end := strings.CutSuffix(line, mark)
		out.WriteString(text)
		if end {
			return out.String()
		}
	}
}
