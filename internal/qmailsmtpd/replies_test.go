package qmailsmtpd

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
)

// Every reply in the program is one that a dialogue of these tests expects,
// word for word: a reply that no test expects may be wrong, or never said.
func TestEveryReplyIsExpected(t *testing.T) {
	t.Parallel()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reply := regexp.MustCompile(`^[2-5][0-9][0-9][ -]`)
	var said []string
	var expected strings.Builder
	for _, name := range append(sources, "../qmail/code.go") {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			switch test := strings.HasSuffix(name, "_test.go"); {
			case test && name != "dialogue_test.go": // whose replies are those of its own model
				expected.WriteString(text + "\n")
			case !test && reply.MatchString(text):
				said = append(said, text)
			}
			return true
		})
	}
	if len(said) < 40 {
		t.Fatalf("only %d replies found: %q", len(said), said)
	}
	for _, text := range said {
		if !strings.Contains(expected.String(), text) {
			t.Errorf("no test expects %q", text)
		}
	}
}

// Replies that need a broken world around the program.
const (
	noAddresses = "421 unable to figure out my IP addresses (#4.3.0)\r\n"
	surprise    = "451 qq waitpid surprise (#4.3.0)\r\n"
	outOfMemory = "421 out of memory (#4.3.0)"
)

// Without descriptors, or with signals ignored that it needs, the program says
// so.
func TestRepliesOfABrokenWorld(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	c := newSite(t, nil).connect()
	buf := make([]byte, 100)
	n, _ := c.Read(buf) // the greeting: controls have been read
	low := old
	low.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	out, code := c.talk("MAIL FROM:<a@b>\r\nRCPT TO:<a@[1.2.3.4]>\r\nNOOP\r\n")
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if got, want := string(buf[:n])+out, greeting+ok+noAddresses; got != want || code != 1 {
		t.Errorf("got %q, exit %d; want %q", got, code, want)
	}

	// The kernel then keeps no exit code for anybody to wait for.
	signal.Ignore(syscall.SIGCHLD)
	defer prog.ResetSignal(syscall.SIGCHLD)
	if out, _ := newSite(t, nil).connect().talk(send + "x\r\n.\r\nNOOP\r\n"); out != greeting+sent+surprise+ok {
		t.Errorf("got %q", out)
	}
}
