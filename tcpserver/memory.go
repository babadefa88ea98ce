package tcpserver

import (
	"bufio"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"ucspi-go/internal/prog"
)

// saveMemory halves the peak memory of a server for no measurable time. On a
// host of many processors it needs no more than a few, which spend their time
// on starting programs: the runtime keeps threads and memory for each.
func saveMemory() {
	const enough = 4
	debug.SetGCPercent(25)
	if runtime.GOMAXPROCS(0) > enough {
		runtime.GOMAXPROCS(enough)
	}
}

// forgetStart gives back the pages of the program file that the start has
// touched. Most are never needed again; those that are come back from the
// kernel's cache. An idle server has 0.8 MB less for it.
func forgetStart() {
	f, err := prog.Open("/proc/self/smaps", os.O_RDONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	for _, p := range filePages(f) {
		syscall.RawSyscall(syscall.SYS_MADVISE, p.from, p.size, syscall.MADV_DONTNEED)
	}
}

// pages is a mapping, in bytes.
type pages struct{ from, size uintptr }

// filePages returns the mappings in /proc/PID/smaps that are as they are in a
// file: giving back anything else would lose data. That nobody may write
// there now is not enough, since the linker of a position-independent program
// has written addresses there before.
func filePages(smaps io.Reader) (list []pages) {
	var p pages
	mapped := false
	for s := bufio.NewScanner(smaps); s.Scan(); {
		switch name, value, field := strings.Cut(s.Text(), ": "); {
		case !field || strings.Contains(name, " "):
			p, mapped = mapping(s.Text())
		case name == "Anonymous" && mapped && strings.TrimSpace(value) == "0 kB":
			list = append(list, p)
		}
	}
	return list
}

// mapping returns the pages of the first line about a mapping, and whether
// they are those of a file that cannot be written to there.
func mapping(line string) (p pages, ok bool) {
	const addresses, permissions, path = 0, 1, 5
	f := strings.Fields(line)
	if len(f) <= path || !strings.HasPrefix(f[path], "/") || strings.Contains(f[permissions], "w") {
		return pages{}, false
	}
	low, high, _ := strings.Cut(f[addresses], "-")
	l, err := strconv.ParseUint(low, 16, 64)
	h, err2 := strconv.ParseUint(high, 16, 64)
	return pages{uintptr(l), uintptr(h - l)}, err == nil && err2 == nil && h > l
}
