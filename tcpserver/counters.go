package tcpserver

import (
	"net/netip"
	"os"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
)

// counters writes what a server has counted to a file, for the textfile
// collector of Prometheus' node_exporter.
type counters struct {
	s       *Server
	lookups *lookups
	listen  string // address and port, which tell servers apart
	began   time.Time
	failed  bool // the last write
}

// keepCounters writes the counters from now on, and once more in stop.
func (s *Server) keepCounters(local netip.AddrPort) (stop func(), err error) {
	c := &counters{s: s, lookups: s.measure(), listen: local.String(), began: time.Now()}
	if err := c.write(); err != nil {
		return nil, err
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go c.keep(end, ended)
	return func() { close(end); <-ended }, nil
}

// write replaces the file.
func (c *counters) write() error { return replace(c.s.counters, c.text()) }

// writeOrWarn warns of the first of several failures.
func (c *counters) writeOrWarn() {
	err := c.write()
	if err != nil && !c.failed {
		c.s.log.warn("unable to write "+c.s.counters, err)
	}
	c.failed = err != nil
}

// keep writes the file again and again, and once more at the end.
func (c *counters) keep(end <-chan struct{}, ended chan<- struct{}) {
	defer close(ended)
	tick := time.NewTicker(c.s.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.writeOrWarn()
		case <-end:
			c.writeOrWarn()
			return
		}
	}
}

// replace writes a file that everybody may read, so that who reads it sees the
// old one or the new one. It is not synced: after a crash a new one comes.
func replace(name string, text []byte) error {
	temp := name + ".tmp"
	// What is left of a server that was killed, or was put there by somebody
	// else, is not written to.
	if err := syscall.Unlink(temp); err != nil && err != syscall.ENOENT {
		return err
	}
	f, err := prog.Open(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Chmod(0o644) // whatever the umask
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = syscall.Rename(temp, name)
	}
	if err != nil {
		_ = syscall.Unlink(temp)
	}
	return err
}
