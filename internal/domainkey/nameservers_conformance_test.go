//go:build conformance

package domainkey

import (
	"bufio"
	"bytes"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/dns"
	"ucspi-go/internal/dnsserver"
	"ucspi-go/internal/testprog"
	"ucspi-go/qmaildkim"
	"ucspi-go/qmaildkim/keys"
)

// A published key comes back whole from each kind of name server that was
// given the form made for it, and so does a revocation: to us, who ask that
// server alone, and to the program, which finds it by the name servers of the
// zone, on port 53.
func TestConformanceNameServers(t *testing.T) {
	peers := map[string]string{}
	for _, name := range []string{"named", "nsd", "tinydns", "tinydns-data", "axfrdns", "nsupdate"} {
		peers[name] = testprog.Peer(t, name)
	}
	if !testprog.OwnNetwork(t) {
		return
	}
	bin := testprog.Dir(t)
	h := newKeys(t)
	for _, tt := range []struct {
		name, form string
		start      func(t *testing.T, peers map[string]string, zone string) (addr string)
	}{
		{"BIND", "bind", startBIND},
		{"BIND by nsupdate", "nsupdate", updateBIND},
		{"NSD", "bind", startNSD},
		{"tinydns", "tinydns", startTinydns},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var zone string
			for _, args := range h.args {
				zone += h.print(t, bin, append([]string{"-p", "-o", tt.form}, args...)...)
			}
			zone += h.print(t, bin, "-r", "-o", tt.form, "example.com", "gone")
			addr := tt.start(t, peers, zone)

			server := netip.MustParseAddrPort(addr + ":53")
			resolver := dns.New(func(string) (string, bool) { return "", false })
			resolver.Rounds = []time.Duration{patience}
			for _, k := range h.keys {
				name, _ := keys.RecordName(k.selector, "example.com")
				answer, err := resolver.AskTXT(t.Context(), server, name)
				p := qmaildkim.Published(k.public, answer.Texts, err)
				if p.State != qmaildkim.PublishedMatch {
					t.Errorf("%s: %s %s\n%q", name, p.State, p.Reason, answer.Texts)
				}
			}
			answer, err := resolver.AskTXT(t.Context(), server, "gone._domainkey.example.com")
			if p := qmaildkim.Published(h.keys[0].public, answer.Texts, err); p.State != qmaildkim.PublishedRevoked {
				t.Errorf("revoked: %+v %q", p, answer.Texts)
			}

			cache := testprog.NameServer(t, "example.com NS ns.example.com\nns.example.com A "+addr, dnsserver.Start)
			for _, args := range h.args {
				cmd := h.command(bin, append([]string{"-c"}, args...)...)
				cmd.Env = append(cmd.Env, "DNSCACHEIP="+cache.Addr())
				out, err := cmd.CombinedOutput()
				if err != nil || !strings.Contains(string(out), "match ns.example.com "+addr+" "+args[1]+"._domainkey.example.com\n") {
					t.Errorf("domainkey -c %q: %v\n%s", args, err, out)
				}
			}
		})
	}
}

// madeKeys are keys of example.com in a home.
type madeKeys struct {
	home string
	args [][]string // domain and selector
	keys []record
}

func newKeys(t *testing.T) *madeKeys {
	t.Helper()
	h := &madeKeys{home: newHome(t)}
	for _, bits := range []string{"1024", "2048", "4096"} {
		selector := "rsa" + bits
		keyOf(t, h.home, "-t", "both", "-b", bits, "example.com", selector)
		h.args = append(h.args, []string{"example.com", selector})
	}
	keyOf(t, h.home, "-t", "ed25519", "example.com", "ed")
	h.args = append(h.args, []string{"example.com", "ed"})
	for _, args := range h.args {
		store := keys.Store{Home: h.home}
		key, err := store.Find(keysDir+"/%/"+args[1], "example.com")
		if err != nil {
			t.Fatal(err)
		}
		also, err := store.Second(key)
		if err != nil {
			t.Fatal(err)
		}
		h.keys = append(h.keys, record{key.Selector, key.Signer.Public()})
		if also != nil {
			h.keys = append(h.keys, record{also.Selector, also.Signer.Public()})
		}
	}
	return h
}

func (h *madeKeys) command(bin string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(bin, "domainkey"), args...)
	cmd.Env = append(os.Environ(), "QMAILHOME="+h.home)
	return cmd
}

func (h *madeKeys) print(t *testing.T, bin string, args ...string) string {
	t.Helper()
	out, err := h.command(bin, args...).Output()
	if err != nil {
		t.Fatalf("domainkey %q: %v", args, err)
	}
	return string(out)
}

// zoneFile is a zone that has records besides those of the keys.
func zoneFile(records string) string {
	return "$ORIGIN example.com.\n$TTL 60\n@ SOA ns root 1 60 60 60 60\n@ NS ns\nns A 127.0.0.1\n" + records
}

// serve starts a name server in the foreground and waits until it has written
// mark to standard error. It ends with the test.
func serve(t *testing.T, cmd *exec.Cmd, mark string) {
	t.Helper()
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan bool)
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM) // NSD ends its children then
		<-gone
		cmd.Wait()
	})
	ready := make(chan string)
	go func() {
		defer close(gone)
		var seen bytes.Buffer
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			seen.WriteString(lines.Text() + "\n")
			if strings.Contains(lines.Text(), mark) {
				ready <- ""
				io.Copy(io.Discard, log)
				return
			}
		}
		ready <- seen.String()
	}()
	select {
	case trouble := <-ready:
		if trouble != "" {
			t.Fatalf("%s ended:\n%s", cmd.Path, trouble)
		}
	case <-time.After(time.Minute):
		t.Fatalf("%s does not start", cmd.Path)
	}
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(text, "DIR", dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const namedConf = `
options { directory "DIR"; pid-file none; session-keyfile "DIR/session.key"; listen-on { 127.0.0.1; }; listen-on-v6 { none; }; recursion no; };
controls { };
zone "example.com" { type primary; file "zone"; update-policy local; };
`

func startBIND(t *testing.T, peers map[string]string, zone string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"named.conf": namedConf, "zone": zoneFile(zone)})
	serve(t, exec.Command(peers["named"], "-g", "-c", dir+"/named.conf"), "all zones loaded")
	return "127.0.0.1"
}

// updateBIND gives the records to a server that runs.
func updateBIND(t *testing.T, peers map[string]string, zone string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"named.conf": namedConf, "zone": zoneFile("")})
	serve(t, exec.Command(peers["named"], "-g", "-c", dir+"/named.conf"), "all zones loaded")
	cmd := exec.Command(peers["nsupdate"], "-k", dir+"/session.key")
	cmd.Stdin = strings.NewReader("server 127.0.0.1\nzone example.com\n" + strings.ReplaceAll(zone, "send\n", "send\nserver 127.0.0.1\nzone example.com\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nsupdate: %v\n%s", err, out)
	}
	// What is new does not take the place of what is there.
	cmd = exec.Command(peers["nsupdate"], "-k", dir+"/session.key")
	cmd.Stdin = strings.NewReader("server 127.0.0.1\nzone example.com\n" + nsupdate(change{name: "ed._domainkey.example.com", text: "v=DKIM1; p="}))
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "YXRRSET") {
		t.Errorf("a second key at one name: %v\n%s", err, out)
	}
	return "127.0.0.1"
}

func startNSD(t *testing.T, peers map[string]string, zone string) string {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"zone": zoneFile(zone), "nsd.conf": `
server:
  ip-address: 127.0.0.2
  username: ""
  zonesdir: "DIR"
  pidfile: ""
  database: ""
  zonelistfile: "DIR/zone.list"
  xfrdfile: "DIR/xfrd.state"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: example.com
  zonefile: zone
`})
	serve(t, exec.Command(peers["nsd"], "-d", "-c", dir+"/nsd.conf"), "nsd started")
	return "127.0.0.2"
}

// startTinydns starts tinydns for UDP and, under our tcpserver, axfrdns for
// TCP, without which nobody gets the longest record.
func startTinydns(t *testing.T, peers map[string]string, zone string) string {
	t.Helper()
	const addr = "127.0.0.3"
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"data": ".example.com:" + addr + ":ns.example.com\n" + zone})
	cmd := exec.Command(peers["tinydns-data"])
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tinydns-data: %v\n%s", err, out)
	}
	environ := append(os.Environ(), "IP="+addr, "ROOT="+dir, "UID=0", "GID=0")
	cmd = exec.Command(peers["tinydns"])
	cmd.Env = environ
	serve(t, cmd, "starting tinydns")
	cmd = exec.Command(filepath.Join(testprog.Dir(t), "tcpserver"), "-1", "-vRHl0", addr, "53", peers["axfrdns"])
	cmd.Env = environ
	s, err := testprog.StartServer(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return addr
}
