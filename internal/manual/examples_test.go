package manual

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ucspi-go/internal/testprog"
	"ucspi-go/rules"
)

// A step is a command of an example and what the page says that it prints.
type step struct{ command, output string }

var hereDocument = regexp.MustCompile(`<<(\w+)`)

// steps returns those of a display; none if it has no "$ ".
func steps(display string) (list []step) {
	end := ""
	for line := range strings.Lines(display) {
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case end != "":
			list[len(list)-1].command += line
			if line == end+"\n" {
				end = ""
			}
		case isCommand:
			list = append(list, step{command: command})
			if m := hereDocument.FindStringSubmatch(command); m != nil {
				end = m[1]
			}
		case len(list) > 0:
			list[len(list)-1].output += line
		}
	}
	return list
}

// Each display of EXAMPLES whose commands begin with "$ " is run, by sh in an
// empty folder, and prints what the page shows. Rules are rules.
func TestExamples(t *testing.T) {
	t.Parallel()
	ran := 0
	for name, p := range pages(t) {
		for _, display := range p.examples() {
			if list := steps(display); len(list) > 0 {
				ran++
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					runSteps(t, list)
				})
				continue
			}
			if _, err := rules.Parse(strings.NewReader(display)); strings.Contains(display, ":allow") && err != nil {
				t.Errorf("%s: %v", p.file, err)
			}
		}
	}
	if ran < 20 {
		t.Errorf("%d examples", ran)
	}
}

// mark is printed after each command.
const mark = "\x01\n"

var pid = regexp.MustCompile(` pid \d+:`)

func runSteps(t *testing.T, list []step) {
	t.Helper()
	script := "running=\ntrap '[ -z \"$running\" ] || kill $running; wait' EXIT\n"
	for _, s := range list {
		command := strings.TrimSuffix(s.command, "\n")
		script += command + "\n"
		if strings.HasSuffix(command, "&") {
			script += "running=\"$running $!\"\n"
			continue
		}
		script += "code=$?; printf '\\001\\n'; (exit $code)\n"
	}
	dir := t.TempDir()
	cmd := exec.Command("sh")
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(script)
	bin, err := filepath.Abs(testprog.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "TMPDIR=" + dir, "DNSCACHEIP=0.0.0.0", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	said := strings.Split(string(out), mark)
	for _, s := range list {
		if strings.HasSuffix(s.command, "&\n") {
			continue
		}
		if got := pid.ReplaceAllString(said[0], " pid PID:"); got != s.output {
			t.Errorf("$ %sprints\n%s\nthe page has\n%s", s.command, got, s.output)
		}
		if said = said[1:]; len(said) == 0 {
			t.Fatalf("%v, after\n%s", err, out)
		}
	}
}
