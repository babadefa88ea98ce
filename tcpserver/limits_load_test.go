package tcpserver_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Two clients storm a server at the same time. Neither ever has more programs
// than his limit, as the programs themselves say by their lives, what is over
// the limit is told so, and when all is over everybody is served again.
func TestLimitPerAddress(t *testing.T) {
	t.Parallel()
	const most, n = 3, 150
	db := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), `127.0.0.2:allow,MAXPERIP="3",DIEMSG="421 full"`+"\n"+`127.0.0.3:allow,MAXCONIP="3",DIEMSG="421 full"`+"\n:allow\n")
	s := start(t, "-vRHl0", "-c60", "-x", db, "127.0.0.1", "0", "sh", "-c", "echo run $TCPCONNNUM; read end")
	type counters struct{ running, served, refused atomic.Int64 }
	var by [2]counters
	var turn atomic.Int64
	err := clients(2*n, 40, func() error {
		i := int(turn.Add(1)) % 2
		me := &by[i]
		c, line, err := say(s.Port, net.IPv4(127, 0, 0, byte(2+i)))
		if err != nil {
			return err
		}
		defer c.Close()
		if line == "421 full\r\n" {
			me.refused.Add(1)
			return nil
		}
		// The program lives at least until it is told to end.
		running := me.running.Add(1)
		var num int64
		if k, _ := fmt.Sscanf(line, "run %d\n", &num); k != 1 || num < 1 || num > most || running > most {
			return fmt.Errorf("got %q while %d are running", line, running)
		}
		me.served.Add(1)
		me.running.Add(-1)
		_, err = fmt.Fprintln(c, "end")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	waitLog(t, s, "^tcpserver: status: 0/60\n\\z", 1)
	for i := range by {
		if by[i].served.Load() < most || by[i].served.Load()+by[i].refused.Load() != n {
			t.Errorf("client %d: %d served, %d refused", i, by[i].served.Load(), by[i].refused.Load())
		}
	}
	// Nothing is left of the counts.
	for range most {
		c, line, err := say(s.Port, net.IPv4(127, 0, 0, 2))
		if err != nil || !strings.HasPrefix(line, "run ") {
			t.Errorf("afterwards: %q, %v", line, err)
		}
		defer c.Close()
	}
	c, line, err := say(s.Port, net.IPv4(127, 0, 0, 2))
	if err != nil || line != "421 full\r\n" {
		t.Errorf("one too many: %q, %v", line, err)
	}
	c.Close()
	waitLog(t, s, "^tcpserver: deny [0-9]+ 0:127.0.0.1:[0-9]+ :127.0.0.2::[0-9]+ MAXPERIP:3\ntcpserver: end [0-9]+ status 25600$", 1)
	log := stop(t, s)
	refused := by[0].refused.Load() + by[1].refused.Load() + 1
	if n := len(regexp.MustCompile("(?m)^tcpserver: deny [0-9]{7,} .* MAX(PERIP|CONIP):3$").FindAllString(log, -1)); int64(n) != refused {
		t.Errorf("%d lines for %d refused", n, refused)
	}
}

// A file of rules that has limits counts those who came before it.
func TestLimitTakesEffect(t *testing.T) {
	t.Parallel()
	name := compile(t, filepath.Join(t.TempDir(), "rules.cdb"), ":allow\n")
	s := start(t, "-RHl0", "-x", name, "127.0.0.1", "0", "sh", "-c", "echo run; read end")
	first, line, err := say(s.Port, net.IPv4(127, 0, 0, 2))
	if err != nil || line != "run\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	defer first.Close()
	compile(t, name, ":allow,MAXCONNC=\"1\"\n")
	c, line, err := say(s.Port, net.IPv4(127, 0, 0, 3))
	if err != nil || line != "" {
		t.Errorf("the neighbour of one who came before: %q, %v", line, err)
	}
	c.Close()
	stop(t, s)
}

// say connects from an address and returns the connection and the first line
// that the program says, empty if the connection ends.
func say(port string, from net.IP) (net.Conn, string, error) {
	c, err := dialFrom(port, from)
	if err != nil {
		return nil, "", err
	}
	var line []byte
	var b [1]byte
	for !strings.HasSuffix(string(line), "\n") {
		if _, err := c.Read(b[:]); err == io.EOF {
			break
		} else if err != nil {
			return c, "", err
		}
		line = append(line, b[0])
	}
	return c, string(line), nil
}

func dialFrom(port string, from net.IP) (net.Conn, error) {
	d := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: from}}
	c, err := d.Dial("tcp4", "127.0.0.1:"+port)
	if err == nil {
		c.SetDeadline(time.Now().Add(patience))
	}
	return c, err
}
