package recordio

import (
	"os"
	"os/signal"
	"syscall"

	"ucspi-go/internal/prog"
)

// settle makes the process what a forked child of the program name would be:
// known by that name, and killed silently by what kills a process, but not by
// a broken pipe.
func settle(name string) {
	// Executed as /proc/self/exe it would be known as "exe".
	if f, err := prog.Open("/proc/self/comm", os.O_WRONLY, 0); err == nil {
		_, _ = f.WriteString(name)
		f.Close()
	}
	prog.PlainSignals()
	signal.Ignore(syscall.SIGPIPE)
}
