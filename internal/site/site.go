// Package site makes a private qmail home that is configured as a mail host's
// published notes of 2011 describe, and runs it on loopback: tcpserver with
// qmail-smtpd, qmail-dkim and qmail-queue, and a DNS server that publishes
// the host's key. Mail ends in the queue, in a Maildir or at a smarthost. The demo and the tests of the whole path use it.
package site

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"ucspi-go/internal/dnsserver"
)

// Config says what the site is to be.
type Config struct {
	Dir    string // an existing empty folder, which becomes QMAILHOME
	Bin    string // folder of the project's programs
	Domain string // signing domain; its key is made by domainkey
	Rules  string // text of etc/tcp.smtp
	Zone   string // further records that the DNS server publishes
	DNS    string // where that answers, as IP:PORT; empty is a port of 127.0.0.1
	Split  bool   // the queue's todo and intd are split as mess is

	Sink      Sink   // where mail ends
	Smarthost string // HOST:PORT of the sink Smarthost

	// Stderr is the server's standard error; nil is a file, which Log reads.
	Stderr io.Writer
}

// Site is a qmail home and, once Serve was called, its server.
type Site struct {
	Config
	Record string // the TXT record as domainkey printed it
	Addr   string // where tcpserver listens, as 127.0.0.1:PORT

	dns    *dnsserver.Server
	server *exec.Cmd
}

// New makes the home: programs, key, control files, queue, compiled rules,
// and starts the DNS server. Close undoes the last.
func New(c Config) (*Site, error) {
	s := &Site{Config: c}
	for _, step := range []func() error{s.programs, s.sink, s.control, s.key, s.publish, s.compile} {
		if err := step(); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

// programs links bin/, so that QMAILQUEUE="bin/qmail-dkim" finds it.
func (s *Site) programs() error {
	bin, err := filepath.Abs(s.Bin)
	if err != nil {
		return err
	}
	s.Bin = bin
	return os.Symlink(bin, filepath.Join(s.Dir, "bin"))
}

func (s *Site) control() error {
	for name, text := range map[string]string{
		"control/me":        "mail." + s.Domain + "\n",
		"control/rcpthosts": s.Domain + "\n",
		"etc/tcp.smtp":      s.Rules,
	} {
		file := filepath.Join(s.Dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (s *Site) key() error {
	record, err := s.Output("domainkey", s.Domain)
	s.Record = strings.TrimSpace(record)
	return err
}

func (s *Site) publish() error {
	name, text, err := SplitRecord(s.Record)
	if err != nil {
		return err
	}
	zone, err := dnsserver.ParseZone(s.Zone + "\n" + name + " TXT " + text + "\n")
	if err != nil {
		return err
	}
	if s.DNS != "" {
		s.dns, err = dnsserver.StartAt(s.DNS, zone)
	} else {
		s.dns, err = dnsserver.Start(zone)
	}
	return err
}

// Publish makes the DNS server publish other records than it did.
func (s *Site) Publish(zone dnsserver.Zone) { s.dns.Publish(zone) }

// SplitRecord splits what domainkey prints, NAME. IN TXT ("string" "string"),
// into the name and the joined strings.
func SplitRecord(line string) (name, text string, err error) {
	name, rest, ok := strings.Cut(line, ". IN TXT (")
	if !ok {
		return "", "", fmt.Errorf("site: not a TXT record: %q", line)
	}
	for i, part := range strings.Split(rest, `"`) {
		if i%2 == 1 {
			text += part
		}
	}
	return name, text, nil
}

// compile runs the very command of the notes.
func (s *Site) compile() error {
	cmd := s.command("sh", "-c", "tcprules etc/tcp.smtp.cdb etc/tcp.smtp.tmp < etc/tcp.smtp")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("site: tcprules: %s", out)
	}
	return nil
}

// Recompile replaces the rules of a running site.
func (s *Site) Recompile(rules string) error {
	s.Rules = rules
	if err := s.control(); err != nil {
		return err
	}
	return s.compile()
}

// Environ returns the environment that the site's programs run in.
func (s *Site) Environ() []string {
	var env []string
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "PATH", "QMAILHOME", "DNSCACHEIP", "QMAILQUEUE", "RELAYCLIENT", "MAILDIR", "SMARTHOST":
		default:
			if !strings.HasPrefix(name, "DKIM") {
				env = append(env, v)
			}
		}
	}
	env = append(env, "QMAILHOME="+s.Dir, "PATH="+s.Bin+":"+os.Getenv("PATH"))
	env = append(env, s.sinkEnviron()...)
	if s.dns != nil {
		env = append(env, "DNSCACHEIP="+s.dns.Addr())
	}
	return env
}

func (s *Site) command(name string, args ...string) *exec.Cmd {
	if !strings.Contains(name, "/") {
		if path := filepath.Join(s.Bin, name); fileExists(path) {
			name = path
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = s.Dir
	cmd.Env = s.Environ()
	return cmd
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// Output runs one of the programs in the site's environment, with extra
// settings NAME=VALUE first among args, and returns its standard output.
func (s *Site) Output(name string, args ...string) (string, error) {
	var extra []string
	for len(args) > 0 && strings.Contains(args[0], "=") {
		extra, args = append(extra, args[0]), args[1:]
	}
	cmd := s.command(name, args...)
	cmd.Env = append(cmd.Env, extra...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("site: %s: %w: %s", name, err, stderr.Bytes())
	}
	return string(out), nil
}

// Close stops the server and the DNS server. The folder stays.
func (s *Site) Close() error {
	var err error
	if s.server != nil {
		_ = s.server.Process.Signal(syscall.SIGTERM)
		err = s.server.Wait()
		s.server = nil
	}
	if s.dns != nil {
		s.dns.Close()
		s.dns = nil
	}
	return err
}

// Log returns what tcpserver and the programs under it have logged so far.
// They write to a file, so that a line is there once its writer went on.
func (s *Site) Log() []string {
	text, err := os.ReadFile(s.logFile())
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func (s *Site) logFile() string { return filepath.Join(s.Dir, "log") }

var errNoPort = errors.New("site: tcpserver did not say its port")
