package testprog

import (
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var servers sync.Map // *testscript.TestScript to its *Server

// serveCommand is the script command "serve ARGS...": it starts tcpserver -1
// ARGS... in the background with the script's environment, and sets $PORT and
// $SERVERPID.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: serve ARGS...")
	}
	// The environment of a script is its own secret, but its programs get it.
	ts.Check(ts.Exec("env", "-0"))
	cmd := exec.Command(filepath.Join(ts.Getenv("BIN"), "tcpserver"), append([]string{"-1"}, args...)...)
	cmd.Env = strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\x00"), "\x00")
	cmd.Dir = ts.MkAbs(".")
	s, err := StartServer(cmd)
	ts.Check(err)
	ts.Defer(s.Kill)
	servers.Store(ts, s)
	ts.Setenv("PORT", s.Port)
	ts.Setenv("SERVERPID", strconv.Itoa(cmd.Process.Pid))
}

// stopServerCommand is "stopserver": it ends the server with SIGTERM, after
// which it must exit 0, and prints what it logged on standard error.
func stopServerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: stopserver")
	}
	log, err := server(ts).Stop()
	io.WriteString(ts.Stderr(), log)
	ts.Check(err)
}

// serverLogCommand is "serverlog REGEXP [N]": it waits until N lines (1) of the
// server's log match.
func serverLogCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: serverlog REGEXP [N]")
	}
	n := 1
	if len(args) == 2 {
		var err error
		n, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	ts.Check(server(ts).WaitLog(args[0], n))
}

// clientCommand is "client [FILE]": it connects to the server, sends the file
// and prints what comes back until the end. With "!" it wants no connection.
func clientCommand(ts *testscript.TestScript, neg bool, args []string) {
	text := ""
	if len(args) > 0 {
		text = ts.ReadFile(args[0])
	}
	got, err := Fetch(ts.Getenv("PORT"), text)
	switch {
	case neg && err == nil:
		ts.Fatalf("client: there is a server")
	case !neg:
		ts.Check(err)
	}
	io.WriteString(ts.Stdout(), got)
}

// Fetch connects to a port of 127.0.0.1, sends text, and returns what comes
// back until the end. A reset is an end, as the server may not have read text.
func Fetch(port, text string) (string, error) {
	conn, err := net.DialTimeout("tcp4", "127.0.0.1:"+port, serverPatience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(serverPatience))
	io.WriteString(conn, text)
	conn.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(conn)
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return "", err
	}
	return string(got), nil
}

func server(ts *testscript.TestScript) *Server {
	s, ok := servers.Load(ts)
	if !ok {
		ts.Fatalf("no server was started")
	}
	return s.(*Server)
}
