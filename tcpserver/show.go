package tcpserver

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// show prints the connections that have a program, the oldest first.
func (s *Server) show() {
	s.table.mu.Lock()
	running, limit := s.table.running, s.table.limit
	programs := maps.Clone(s.table.account.programs)
	s.table.mu.Unlock()
	pids := slices.SortedFunc(maps.Keys(programs), func(p, q int) int {
		if d := programs[p].since.Compare(programs[q].since); d != 0 {
			return d
		}
		return p - q
	})
	now := time.Now()
	s.log.table(running, limit)
	for _, pid := range pids {
		s.log.row(pid, programs[pid], now)
	}
}

// table is said whatever -q or -v want: somebody has asked.
func (l *log) table(running, limit uint64) {
	if l.json {
		l.write(event("table").number("running", running).number("limit", limit))
		return
	}
	l.say("table: ", strconv.FormatUint(running, 10), "/", strconv.FormatUint(limit, 10))
}

func (l *log) row(pid int, p program, now time.Time) {
	age := uint64(max(0, now.Sub(p.since)) / time.Second)
	if l.json {
		l.write(event("row").number("pid", uint64(pid)).addrPort("remote", p.remote).number("age", age))
		return
	}
	l.say("table: pid ", strconv.Itoa(pid), " from ", p.remote.String(), " age ", strconv.FormatUint(age, 10))
}
