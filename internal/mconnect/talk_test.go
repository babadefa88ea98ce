package mconnect_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

func TestMain(m *testing.M) { testprog.Main(m) }

func TestScripts(t *testing.T) { testprog.Run(t, "testdata/script") }

const patience = 60 * time.Second

// pair returns the two ends of a connection.
func pair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	s.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// onConnection returns a program with a connection on its descriptors 6 and
// 7, or those of them that are wanted, and the server's end.
func onConnection(t *testing.T, program string, fds string) (*exec.Cmd, *net.TCPConn) {
	t.Helper()
	client, server := pair(t)
	f, err := client.File()
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	f.Fd() // makes it blocking, as tcpclient does
	t.Cleanup(func() { f.Close() })
	cmd := exec.Command(program)
	cmd.ExtraFiles = make([]*os.File, 7-2)
	for _, n := range fds {
		cmd.ExtraFiles[n-'3'] = f
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	t.Cleanup(func() { timer.Stop() })
	return cmd, server
}

// A dialogue in which each side waits for the other.
func TestDialogue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		program string
		args    bool
	}{{"mconnect", true}, {"mconnect-io", false}} {
		if err := dialogue(t, filepath.Join(testprog.Dir(t), tt.program), tt.args); err != nil {
			t.Errorf("%s: %v", tt.program, err)
		}
	}
}

func dialogue(t *testing.T, program string, connects bool) error {
	var cmd *exec.Cmd
	var server *net.TCPConn
	var l net.Listener
	if connects {
		var err error
		if l, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
			return err
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		cmd = exec.Command(program, "127.0.0.1", port, "ignored")
	} else {
		cmd, server = onConnection(t, program, "67")
	}
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Process.Kill()
	if connects {
		l.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
		c, err := l.Accept()
		if err != nil {
			return err
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		server = c.(*net.TCPConn)
	} else {
		for _, f := range cmd.ExtraFiles {
			f.Close() // else there is no end of file
		}
	}
	if err := talk(stdin, stdout, server); err != nil {
		return err
	}
	return cmd.Wait()
}

// talk is the person, at stdin and stdout, and the server.
func talk(stdin io.WriteCloser, stdout io.Reader, server *net.TCPConn) error {
	person, network := bufio.NewReader(stdout), bufio.NewReader(server)
	for i := range 3 {
		line := fmt.Sprintf("reply %d\r\n", i)
		io.WriteString(server, line)
		if got, err := person.ReadString('\n'); got != line {
			return fmt.Errorf("printed %q, %v; want %q", got, err, line)
		}
		io.WriteString(stdin, "command\n")
		if got, err := network.ReadString('\n'); got != "command\r\n" {
			return fmt.Errorf("sent %q, %v", got, err)
		}
	}
	// No LF is waited for in either direction, nor is the end of the input
	// an end of the connection.
	io.WriteString(stdin, "last\r")
	stdin.Close()
	got := make([]byte, len("last\r"))
	if _, err := io.ReadFull(network, got); string(got) != "last\r" {
		return fmt.Errorf("sent %q, %v", got, err)
	}
	io.WriteString(server, "bye")
	server.CloseWrite()
	if rest, err := io.ReadAll(person); string(rest) != "bye" {
		return fmt.Errorf("printed %q at the end, %v", rest, err)
	}
	if rest, _ := io.ReadAll(network); len(rest) > 0 {
		return fmt.Errorf("sent %q at the end", rest)
	}
	return nil
}

// The end comes from the network alone: a person may still be typing.
func TestEndsWithTheNetwork(t *testing.T) {
	t.Parallel()
	for _, fds := range []string{"67", "6", "7", ""} {
		cmd, server := onConnection(t, filepath.Join(testprog.Dir(t), "mconnect-io"), fds)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		server.CloseWrite()
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("with descriptors %q: %q, %v", fds, out, err)
		}
	}
}

// A reader of the output who goes away does not end it; nor does a server
// that no longer reads.
func TestBrokenPipes(t *testing.T) {
	t.Parallel()
	cmd, server := onConnection(t, filepath.Join(testprog.Dir(t), "mconnect-io"), "67")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd.Stdin, cmd.Stdout = strings.NewReader(strings.Repeat("command\n", 10)), w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	for range 3 {
		io.WriteString(server, strings.Repeat("reply\r\n", 10000))
	}
	if _, err := io.ReadFull(server, make([]byte, 10*len("command\r\n"))); err != nil {
		t.Error(err)
	}
	server.CloseWrite()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
