package testprog

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ucspi-go/internal/smtpsink"
)

// Exim is a real mail server with a folder of its own, which keeps what it
// accepts in its queue. It refuses the recipient refused@ and defers later@.
type Exim struct {
	Port string // on 127.0.0.1
	dir  string
}

// StartExim starts Exim under tcpserver, for the rest of the test. Where it is
// not installed the test misses a peer.
func StartExim(t testing.TB) *Exim {
	t.Helper()
	exim := Peer(t, "exim4")
	// Exim gives up being root for a configuration that is not the system's.
	dir, err := os.MkdirTemp("", "exim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	e := &Exim{dir: dir}
	certificate, err := smtpsink.SelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"conf": strings.ReplaceAll(eximConf, "DIR", dir),
		"cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
		"key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"", "spool", "log"} {
		folder = filepath.Join(dir, folder)
		os.Mkdir(folder, 0o777)
		if err := os.Chmod(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join(Dir(t), "tcpserver"), "-1", "-RHl0", "127.0.0.1", "0", exim, "-C", filepath.Join(dir, "conf"), "-bs")
	s, err := StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	e.Port = s.Port
	return e
}

// eximConf keeps every message in the queue: it is there, whole, when the
// client hears of it.
const eximConf = `
primary_hostname = mx.example.com
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
keep_environment =
queue_only
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 1M
tls_advertise_hosts = *
tls_certificate = DIR/cert
tls_privatekey = DIR/key
smtputf8_advertise_hosts = *
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny   local_parts = refused
         message = no such user
  defer  local_parts = later
         message = try again
  accept
begin routers
all:
  driver = accept
  transport = never
begin transports
never:
  driver = appendfile
  file = DIR/never
`

// An EximMessage is one message of its queue.
type EximMessage struct {
	Body       string // what follows the header
	Facts      string // Exim's own file: "-received_protocol esmtps" and the like, and the header
	Recipients []string
}

// Queued returns the messages that Exim has, in no order.
func (e *Exim) Queued(t testing.TB) (messages []EximMessage) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(e.dir, "spool/input/*-D"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		facts, err := os.ReadFile(strings.TrimSuffix(file, "D") + "H")
		if err != nil {
			t.Fatal(err)
		}
		m := EximMessage{Facts: string(facts)}
		_, m.Body, _ = strings.Cut(string(body), "\n") // the file's name
		// The count of recipients, then they, then an empty line.
		before, _, _ := strings.Cut(m.Facts, "\n\n")
		if lines := strings.Split(before, "\n"); len(lines) > 0 {
			for i := len(lines) - 1; i > 0 && strings.Contains(lines[i], "@"); i-- {
				m.Recipients = append([]string{lines[i]}, m.Recipients...)
			}
		}
		messages = append(messages, m)
	}
	return messages
}
