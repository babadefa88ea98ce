package qmailremote

import (
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"ucspi-go/internal/prog"
)

// timeouts is the file queue/lock/tcpto, which all qmail-remotes share and
// qmail-tcpto(8) shows: 64 records of 16 bytes, each an IPv4 address (bytes 0
// to 3), the count of its recent timeouts (4) and the time of the last one in
// seconds since 1970 (8 to 11, the lowest byte first). A host that timed out
// twice, two minutes apart, is left alone for an hour. Where the file does
// not exist nothing is remembered; IPv6 addresses never are, there is no room
// for them.
type timeouts string

const (
	recordLen = 16
	maxFile   = 1024
	maxCount  = 10
	apart     = 120 // seconds in which further timeouts do not count
)

// isLeftAlone reports whether a host is not to be tried now.
func (t timeouts) isLeftAlone(addr netip.Addr, now time.Time) bool {
	table, err := t.open(addr)
	if err != nil {
		return false
	}
	defer table.file.Close()
	// Processes differ, so that not all hosts are tried again at one moment.
	hour := (60 + int64(syscall.Getpid()&31)) << 6
	rec := table.find(addr)
	return rec != nil && rec.count() >= 2 && now.Unix()-rec.when() < hour
}

// remember notes how a connection to a host went. Trouble loses a hint, and no
// more.
func (t timeouts) remember(addr netip.Addr, timedOut bool, now time.Time) {
	table, err := t.open(addr)
	if err != nil {
		return
	}
	defer table.file.Close()
	rec := table.find(addr)
	switch {
	case rec == nil && !timedOut:
		return
	case !timedOut:
		rec[4] = 0
	case rec == nil:
		if rec = table.oldest(); rec == nil {
			return
		}
		ip := addr.As4()
		copy(rec, ip[:])
		rec[4] = 0
		fallthrough
	case rec.count() == 0 || now.Unix() >= rec.when()+apart:
		rec[4] = min(rec[4]+1, maxCount)
		binary.LittleEndian.PutUint32(rec[8:], uint32(now.Unix()))
	}
	_, _ = table.file.WriteAt(table.data, 0)
}

// A record is what is known of one address.
type record []byte

func (r record) count() byte { return r[4] }
func (r record) when() int64 { return int64(binary.LittleEndian.Uint32(r[8:])) }

// A table is the file, open and locked.
type table struct {
	file *os.File
	data []byte
}

var errIPv6 = errors.New("qmailremote: no room for an IPv6 address")

func (t timeouts) open(addr netip.Addr) (*table, error) {
	if !addr.Is4() {
		return nil, errIPv6
	}
	f, err := prog.Open(string(t), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	var data []byte
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(f, maxFile))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &table{f, data}, nil
}

// records calls f with each record until it returns false.
func (t *table) records(f func(record) bool) {
	for at := 0; at+recordLen <= len(t.data) && f(t.data[at:at+recordLen]); at += recordLen {
	}
}

// find returns the record of an address, nil for none.
func (t *table) find(addr netip.Addr) (found record) {
	ip := addr.As4()
	t.records(func(r record) bool {
		if string(r[:len(ip)]) == string(ip[:]) {
			found = r
		}
		return found == nil
	})
	return found
}

// oldest returns a record without timeouts, or else the one whose last timeout
// is longest ago; nil if the file is empty.
func (t *table) oldest() (oldest record) {
	t.records(func(r record) bool {
		if oldest == nil || r.count() == 0 || r.when() < oldest.when() {
			oldest = r
		}
		return r.count() > 0
	})
	return oldest
}
