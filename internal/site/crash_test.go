package site_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"ucspi-go/internal/site"
)

// TestCrash kills processes of the path with SIGKILL at random moments while
// clients send. A message that was answered with 250 must be in the queue
// once and whole; one that was not may be missing or there, but whole.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, split := range []bool{false, true} {
		t.Run(fmt.Sprintf("split=%v", split), func(t *testing.T) {
			t.Parallel()
			s := start(t, site.Config{Split: split})
			acknowledged := sendUnderFire(t, s, 4, 60)
			checkQueue(t, s, acknowledged)
		})
	}
}

// sendUnderFire has clients send so many messages each, and kills until they
// are done. It returns the numbers of the acknowledged messages.
func sendUnderFire(t *testing.T, s *site.Site, clients, each int) map[int]bool {
	var mu sync.Mutex
	acknowledged := make(map[int]bool)
	var sent atomic.Int64
	var wg sync.WaitGroup
	for k := range clients {
		random := rand.New(rand.NewPCG(uint64(k), 1))
		wg.Go(func() {
			for i := range each {
				id := k*each + i
				reply, err := s.Send("127.0.0.1", "joe@example.com", "ann@example.net", numbered(id, random))
				sent.Add(1)
				if err == nil && strings.HasPrefix(reply, "250 ") {
					mu.Lock()
					acknowledged[id] = true
					mu.Unlock()
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	kills := fire(s, &sent, done)
	<-done
	t.Logf("%d kills, %d of %d messages acknowledged", kills, len(acknowledged), clients*each)
	if kills == 0 || len(acknowledged) == 0 {
		t.Fatalf("%d kills and %d acknowledged messages prove nothing", kills, len(acknowledged))
	}
	return acknowledged
}

// fire kills one random process below the server for every other message
// sent, as soon as it sees one, until done.
func fire(s *site.Site, sent *atomic.Int64, done <-chan struct{}) (kills int) {
	random := rand.New(rand.NewPCG(7, 7))
	for {
		select {
		case <-done:
			return kills
		default:
		}
		if int64(kills) > sent.Load()/2 {
			continue
		}
		below := descendants(s.Pid())
		if len(below) == 0 {
			continue
		}
		if syscall.Kill(below[random.IntN(len(below))], syscall.SIGKILL) == nil {
			kills++
		}
	}
}

// descendants returns the processes below pid, by the kernel's lists of
// children: a look at every process of a busy machine takes longer than these
// live.
func descendants(pid int) []int {
	var out []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range lists {
		text, _ := os.ReadFile(name)
		for word := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				out = append(append(out, child), descendants(child)...)
			}
		}
	}
	return out
}

// numbered returns a message that carries its number and a hash of its body,
// short or beyond what qmail-dkim keeps in memory.
func numbered(id int, random *rand.Rand) []byte {
	var body bytes.Buffer
	for range random.IntN(20) * random.IntN(400) {
		fmt.Fprintf(&body, "%064x\n", random.Uint64())
	}
	return fmt.Appendf(nil, "From: joe@example.com\nSubject: crash\nX-Number: %d\nX-Hash: %x\n\n%s", id, sha256.Sum256(body.Bytes()), body.Bytes())
}

func checkQueue(t *testing.T, s *site.Site, acknowledged map[int]bool) {
	t.Helper()
	queued, err := s.Queued()
	if err != nil {
		t.Fatal(err)
	}
	copies := make(map[int]int)
	for _, m := range queued {
		_, body, _ := strings.Cut(string(m.Text), "\n\n")
		id, err := strconv.Atoi(strings.TrimPrefix(m.Field("X-Number"), "X-Number: "))
		if err != nil {
			t.Errorf("message %d of the queue has no number", m.Number)
			continue
		}
		if hash := fmt.Sprintf("X-Hash: %x", sha256.Sum256([]byte(body))); m.Field("X-Hash") != hash {
			t.Errorf("message %d of the queue is not whole", m.Number)
		}
		if m.Field("DKIM-Signature") == "" {
			t.Errorf("message %d of the queue is not signed", m.Number)
		}
		if m.Sender != "joe@example.com" || len(m.Recipients) != 1 || m.Recipients[0] != "ann@example.net" {
			t.Errorf("message %d of the queue has envelope %q %q", m.Number, m.Sender, m.Recipients)
		}
		copies[id]++
	}
	for id := range acknowledged {
		if copies[id] != 1 {
			t.Errorf("acknowledged message %d is in the queue %d times", id, copies[id])
		}
	}
}
