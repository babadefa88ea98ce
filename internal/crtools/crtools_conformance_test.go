//go:build conformance

package crtools_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// pair are the C program and ours.
func pair(t *testing.T, name string) [2]string {
	t.Helper()
	return [2]string{testprog.Peer(t, "/usr/bin/"+name), filepath.Join(testprog.Dir(t), name)}
}

// stream makes n bytes that are full of line ends.
func stream(rnd *rand.Rand, n int) []byte {
	words := []string{"\n", "\r", "\r\n", "\n\n", "\r\r\n", "x", "some words", "\x00\xff%", strings.Repeat("y", 300)}
	words = words[:3+rnd.IntN(len(words)-2)]
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[rnd.IntN(len(words))])
	}
	return b.Bytes()[:n]
}

// Streams of all kinds, that come at once and in pieces, give the same bytes.
func TestConformanceStreams(t *testing.T) {
	for _, name := range []string{"addcr", "delcr"} {
		exe := pair(t, name)
		for seed := range uint64(100) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			input := stream(rnd, []int{rnd.IntN(20), 8192*rnd.IntN(20) + rnd.IntN(3), rnd.IntN(500_000)}[seed%3])
			size := 1 + rnd.IntN(100_000)
			var got [2][]byte
			for i := range exe {
				cmd := exec.Command(exe[i])
				cmd.Stdin = &cut{data: input, size: size}
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v", exe[i], err)
				}
				got[i] = out
			}
			if !bytes.Equal(got[0], got[1]) {
				t.Errorf("%s, seed %d: C %.100q, ours %.100q", name, seed, got[0], got[1])
			}
		}
	}
}

// cut gives its data in pieces.
type cut struct {
	data []byte
	size int
}

func (c *cut) Read(p []byte) (int, error) {
	n := copy(p, c.data[:min(c.size, len(c.data))])
	c.data = c.data[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Each piece is answered before the next is sent, as far as it can be.
func TestConformanceDialogue(t *testing.T) {
	for _, name := range []string{"addcr", "delcr"} {
		var got [2]string
		for i, exe := range pair(t, name) {
			cmd := exec.Command(exe)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, stdout, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			out.SetReadDeadline(time.Now().Add(60 * time.Second))
			cmd.Stdout = stdout
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stdout.Close()
			buf := make([]byte, 100)
			for _, piece := range []string{"a", "b\n", "\n", "c\r", "\n", "d\r\r", "\r", "x\r\n", "y\n\r"} {
				io.WriteString(in, piece)
				n, err := out.Read(buf)
				if err != nil {
					t.Fatalf("%s, %q: %v", exe, piece, err)
				}
				got[i] += fmt.Sprintf("%q to %q\n", piece, buf[:n])
			}
			in.Close()
			rest, _ := io.ReadAll(out)
			got[i] += fmt.Sprintf("%q %v", rest, cmd.Wait())
		}
		if got[0] != got[1] {
			t.Errorf("%s: C\n%s\nours\n%s", name, got[0], got[1])
		}
	}
}

// Trouble with the descriptors, a reader that goes away, ignored signals.
func TestConformanceTrouble(t *testing.T) {
	for _, name := range []string{"addcr", "delcr"} {
		exe := pair(t, name)
		for _, script := range []string{
			`"$0" <&-`, `"$0" </`, `"$0" </dev/null >&-`, `"$0" <&- >&-`, `"$0" 0>/dev/null`, `"$0" </dev/null 1</dev/null`,
			`echo x | "$0" 1</dev/null`, `echo | "$0" >&-`, `echo | "$0" >/dev/full`,
			`printf "\r" | "$0" >&-`, `printf "\r" | "$0" >/dev/full`, `printf "a\r" | "$0" >/dev/full`, `printf "\r\r" | "$0" >/dev/full`,
			`"$0" -x nosuch </dev/null`, `"$0" <>/dev/null`, `echo x | "$0" <>/dev/null`, `echo x | "$0" 1<>/dev/null`,
			`head -c 100000 /dev/zero | "$0" >/dev/full`,
			`{ yes 2>/dev/null; :; } | { "$0"; echo $? >code; } | head -c 1; cat code`,
			`trap "" PIPE; { yes 2>/dev/null; :; } | { "$0"; echo $? >code; } | head -c 1; cat code`,
			`ulimit -f 1; trap "" XFSZ; yes | head -c 1000000 | "$0" >file`,
			`ulimit -f 1; yes | head -c 1000000 | "$0" >file`,
			`ulimit -Sv 20000; ulimit -Sd 8000; echo x | "$0"`,
		} {
			var got [2]string
			for i := range exe {
				cmd := exec.Command("sh", "-c", script+"\necho $?", exe[i])
				cmd.Dir = t.TempDir()
				out, err := cmd.CombinedOutput()
				got[i] = fmt.Sprintf("%q %v", out, err)
			}
			if got[0] != got[1] {
				t.Errorf("%s: %s: C %s, ours %s", name, script, got[0], got[1])
			}
		}
	}
}

// What kills the C program kills ours, and without a word.
func TestConformanceSignals(t *testing.T) {
	for _, name := range []string{"addcr", "delcr"} {
		exe := pair(t, name)
		for sig := syscall.Signal(1); sig <= 64; sig++ {
			switch sig {
			case syscall.SIGSTOP, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, // stop it
				syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE: // keep the runtime's trace
				continue
			}
			wantState, wantSaid := signalled(t, exe[0], sig, true) // C has one thread
			state, said := signalled(t, exe[1], sig, strings.HasPrefix(wantState, "exit"))
			if state != wantState || said != wantSaid {
				t.Errorf("%s, signal %d: C %s %s, ours %s %s", name, sig, wantState, wantSaid, state, said)
			}
		}
	}
}
