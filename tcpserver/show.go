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
	// Said whatever -q or -v want: somebody has asked.
	s.log.write("table: ", strconv.FormatUint(running, 10), "/", strconv.FormatUint(limit, 10))
	for _, pid := range pids {
		p := programs[pid]
		age := uint64(max(0, now.Sub(p.since)) / time.Second)
		s.log.write("table: pid ", strconv.Itoa(pid), " from ", p.remote.String(), " age ", strconv.FormatUint(age, 10))
	}
}
