package site_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ucspi-go/internal/site"
	"ucspi-go/internal/smtp"
)

// A storm sends messages over some connections at a time and kills, with
// SIGKILL at moments of chance, every kind of process on their path in turn:
// qmail-smtpd, qmail-dkim, what that hands the mail to, and tcpserver, which is
// then started again.
//
// A message that was answered with 250 must have arrived exactly once, byte
// for byte. One that was not may have arrived as well: a process may be killed
// between the moment at which the message has its name in todo or in new, and
// the 250. Its client would send it again; here it sends another message
// instead, which has another hash, so that "at most once" is held against every
// message. What arrived is whole in any case, and signed.
//
// On a busy machine a process may have ended whenever the killer has its turn.
// So the clients go on beyond their number of messages, up to ten times as
// many, until each kind of process was killed.
type storm struct {
	connections, messages int
	each                  int // messages for one kill
}

func (m storm) run(t *testing.T, s *site.Site) {
	t.Helper()
	most := 10 * m.messages
	w := &weather{t: t, s: s, addr: s.Addr, messages: m.messages, acknowledged: make([]bool, most), sent: make(chan bool, most)}
	var clients sync.WaitGroup
	for range m.connections {
		clients.Go(w.send)
	}
	go func() {
		clients.Wait()
		w.over.Store(true)
		close(w.sent)
	}()
	w.kill(m.each)
	w.settle()
	w.check()
}

// weather is a storm that is going on.
type weather struct {
	t    *testing.T
	s    *site.Site
	addr string

	messages     int          // to be sent in any case
	next         atomic.Int64 // number of the message to be sent next
	acknowledged []bool       // by number; each has one client that writes to it
	sent         chan bool    // a message was sent, or tried; has room for all, so that no client waits for the killer
	hit          atomic.Bool  // a process of each kind was killed
	over         atomic.Bool  // all are sent
}

// send is a client: it sends messages over one connection as long as that
// lasts, then over another.
func (w *weather) send() {
	var c *smtp.Client
	for {
		id := int(w.next.Add(1)) - 1
		if id >= len(w.acknowledged) || id >= w.messages && w.hit.Load() {
			break
		}
		for c == nil {
			c = w.dial() // there may be no server at the moment
		}
		if w.acknowledged[id] = deliver(c, id); !w.acknowledged[id] {
			c.Quit()
			c = nil
		}
		w.sent <- true
	}
	if c != nil {
		c.Quit()
	}
}

// dial returns a client that was greeted, or nil.
func (w *weather) dial() *smtp.Client {
	conn, err := net.DialTimeout("tcp", w.addr, site.Timeout)
	if err != nil {
		return nil
	}
	c := smtp.NewClient(conn, smtp.Options{Name: "client.example.com", Timeout: site.Timeout, Extended: true})
	if c.Start() != nil {
		c.Quit()
		return nil
	}
	return c
}

var stormRecipients = []string{"ann@example.net", "bob@example.net"}

// deliver reports whether the message of that number was answered with 250.
func deliver(c *smtp.Client, id int) bool {
	if _, err := c.Envelope(smtp.Envelope{Sender: "joe@example.com", Recipients: stormRecipients}); err != nil {
		return false
	}
	_, err := c.Data(bytes.NewReader(original(id)))
	return err == nil
}

// original returns the message of that number: short, or beyond what
// qmail-maildir and qmail-dkim keep in memory. A bare CR, which our client
// would mend, is not among what its lines hold.
func original(id int) []byte {
	random := rand.New(rand.NewPCG(uint64(id), 77))
	size := random.IntN(4000)
	switch random.IntN(100) {
	case 0:
		size = 300_000 + random.IntN(1000)
	case 1, 2, 3:
		size *= 30
	}
	const letters = "abcdefgh.\x00\xe9 \t-="
	var body bytes.Buffer
	for body.Len() < size {
		for range random.IntN(200) {
			body.WriteByte(letters[random.IntN(len(letters))])
		}
		body.WriteString("\n..\n"[:1+3*random.IntN(2)])
	}
	return fmt.Appendf(nil, "From: joe@example.com\nSubject: storm\nX-Number: %d\nX-Hash: %x\n\n%s", id, sha256.Sum256(body.Bytes()), body.Bytes())
}

// kill kills until all is sent.
func (w *weather) kill(each int) {
	random := rand.New(rand.NewPCG(7, 7))
	kinds := []string{"qmail-smtpd", "qmail-dkim", w.sink(), "tcpserver"}
	killed := make(map[string]int)
	sent := 0
	for range w.sent {
		if sent++; sent%each != 0 || w.over.Load() {
			continue
		}
		kind := kinds[sent/each%len(kinds)]
		if kind == "tcpserver" {
			if err := w.s.Restart(); err != nil {
				w.t.Fatal(err)
			}
			killed[kind]++
		} else if w.hunt(kind, random) {
			killed[kind]++
		}
		w.hit.Store(len(killed) == len(kinds))
	}
	w.t.Logf("killed %v while %d messages were sent or tried", killed, sent)
	for _, kind := range kinds {
		if killed[kind] == 0 {
			w.t.Errorf("no %s was killed", kind)
		}
	}
}

// hunt kills a process of that name, and reports whether it met one before the
// storm was over. It goes down from those that last to what they have started
// just now: a list of all is stale before its end is reached.
func (w *weather) hunt(name string, random *rand.Rand) bool {
	for !w.over.Load() {
		below := w.working()
		for len(below) > 0 {
			i := random.IntN(len(below))
			pid := below[i]
			below = slices.Delete(below, i, i+1)
			comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)) // empty when the process is gone
			if strings.TrimSpace(string(comm)) == name && syscall.Kill(pid, syscall.SIGKILL) == nil {
				return true
			}
			below = append(below, children(pid)...)
		}
	}
	return false
}

// children returns the processes that the threads of one have started.
func children(pid int) (pids []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

func (w *weather) sink() string {
	if w.s.Sink == site.Maildir {
		return "qmail-maildir"
	}
	return "qmail-queue"
}

// working returns the processes whose working directory is in the site's home,
// whoever their parent is: also those that a server which was killed has left.
func (w *weather) working() (pids []int) {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range links {
		cwd, _ := os.Readlink(link) // empty when the process is gone
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link)))
		if err == nil && (cwd == w.s.Dir || strings.HasPrefix(cwd, w.s.Dir+"/")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// settle waits until nothing but the server is at work.
func (w *weather) settle() {
	for deadline := time.Now().Add(site.Timeout); ; {
		there := w.working()
		if len(there) <= 1 {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("processes %v are still at work", there)
		}
	}
}

// check holds what arrived against what was answered.
func (w *weather) check() {
	arrived, err := w.s.Queued()
	if err != nil {
		w.t.Fatal(err)
	}
	copies := make([]int, len(w.acknowledged))
	for _, m := range arrived {
		id, err := strconv.Atoi(strings.TrimPrefix(m.Field("X-Number"), "X-Number: "))
		if err != nil || id < 0 || id >= len(copies) {
			w.t.Errorf("message %d has the number %q", m.Number, m.Field("X-Number"))
			continue
		}
		copies[id]++
		w.whole(m, id)
	}
	acknowledged, unknown := 0, 0
	for id, n := range copies {
		switch {
		case w.acknowledged[id]:
			acknowledged++
			if n != 1 {
				w.t.Errorf("message of number %d was acknowledged and is there %d times", id, n)
			}
		case n > 1:
			w.t.Errorf("message of number %d was sent once and is there %d times", id, n)
		default:
			unknown += n
		}
	}
	sent := min(int(w.next.Load()), len(copies))
	w.t.Logf("%d messages acknowledged, %d more arrived, of about %d", acknowledged, unknown, sent)
	if acknowledged < sent/4 {
		w.t.Errorf("%d of %d messages acknowledged: too few to prove something", acknowledged, sent)
	}
}

// whole checks that m is the message of that number with what the path puts
// on top of it, and its envelope.
func (w *weather) whole(m site.Message, id int) {
	added, whole := bytes.CutSuffix(m.Text, original(id))
	if !whole {
		w.t.Errorf("message %d, of number %d, is not as it was sent", m.Number, id)
	}
	fields := []string{"Received", "DKIM-Signature", "Received"}
	if w.s.Sink == site.Maildir {
		fields = fields[1:]
	}
	if names := fieldNames(added); !slices.Equal(names, fields) {
		w.t.Errorf("message %d, of number %d, has the new fields %q, want %q", m.Number, id, names, fields)
	}
	if m.Sender != "joe@example.com" || !slices.Equal(m.Recipients, stormRecipients) {
		w.t.Errorf("message %d, of number %d, has the envelope %q %q", m.Number, id, m.Sender, m.Recipients)
	}
}

func fieldNames(header []byte) (names []string) {
	for line := range strings.Lines(string(header)) {
		if line[0] != ' ' && line[0] != '\t' {
			name, _, _ := strings.Cut(line, ":")
			names = append(names, name)
		}
	}
	return names
}
