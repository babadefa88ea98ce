package prog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"ucspi-go/internal/prog"
)

func TestErrstr(t *testing.T) {
	_, notExist := os.Open("no such file")
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, "no error"},
		{notExist, "file does not exist"},
		{syscall.EPERM, "permission denied"},
		{syscall.EACCES, "access denied"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "access denied"},
		{fmt.Errorf("bind: %w", syscall.EADDRINUSE), "address already used"},
		{os.ErrDeadlineExceeded, "timed out"},
		{syscall.Errno(4095), "unknown error"},
		{errors.New("own words"), "own words"},
	} {
		if got := prog.Errstr(tt.err); got != tt.want {
			t.Errorf("Errstr(%v) = %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		want string
	}{
		{nil, 0, ""},
		{prog.Fatal(111, "unable to bind", syscall.EADDRINUSE), 111, "p: fatal: unable to bind: address already used\n"},
		{prog.Fatal(111, "no IP address for x", nil), 111, "p: fatal: no IP address for x\n"},
		{prog.Usage("p [ -v ]", "illegal option -- Z"), 100, "other: illegal option -- Z\np: usage: p [ -v ]\n"},
		{prog.Usage("p [ -v ]", ""), 100, "p: usage: p [ -v ]\n"},
		{prog.Exit(54), 54, ""},
		{&prog.Error{Code: 1, Severity: "fatal", What: "key exists", Hint: "choose another selector"}, 1,
			"p: fatal: key exists\np: hint: choose another selector\n"},
		{errors.New("plain"), 111, "p: fatal: plain\n"},
	} {
		var out strings.Builder
		env := &prog.Env{Name: "p", Argv0: "other", Stderr: &out}
		if code := prog.Report(env, tt.err); code != tt.code || out.String() != tt.want {
			t.Errorf("Report(%v) = %d, %q; want %d, %q", tt.err, code, out.String(), tt.code, tt.want)
		}
	}
}

func TestLookup(t *testing.T) {
	env := &prog.Env{Environ: []string{"RELAYCLIENT=", "A=first", "A=second", "AB=x"}}
	for _, tt := range []struct {
		name, value string
		set         bool
	}{
		{"RELAYCLIENT", "", true},
		{"A", "first", true},
		{"AB", "x", true},
		{"B", "", false},
	} {
		if v, set := env.Lookup(tt.name); v != tt.value || set != tt.set {
			t.Errorf("Lookup(%q) = %q, %v; want %q, %v", tt.name, v, set, tt.value, tt.set)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want uint64
		n    int
	}{
		{"40", 40, 2}, {"3x", 3, 1}, {"x3", 0, 0}, {"-1", 0, 0}, {"", 0, 0}, {"007", 7, 3},
		{"18446744073709551616", 0, 20}, {"1/2", 1, 1}, {"1:2", 1, 1},
	} {
		if v, n := prog.Number(tt.in); v != tt.want || n != tt.n {
			t.Errorf("Number(%q) = %d, %d; want %d, %d", tt.in, v, n, tt.want, tt.n)
		}
	}
}
