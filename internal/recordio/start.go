package recordio

import (
	"math"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"ucspi-go/internal/inherit"
	"ucspi-go/internal/prog"
)

// copierName follows the program's name in the argv[0] of its copier: an
// executable started under it is the copier. No file can be called this way
// by accident. The arguments are those of job, in this order.
const copierName = ": copier of"

// A job is what the copier has to know.
type job struct {
	name     string // of the program that started it: recordio or fixcrio
	pid      string // of the program that is copied for
	in, out  int    // from and to the caller
	to, from int    // the program
}

// closed is a descriptor that is never open.
const closed = math.MaxInt32

// start starts the copier and puts the program's ends of the pipes on
// descriptors 0 and 1.
func start(env *prog.Env) error {
	// The copier finds its ends under their numbers; the others must not stay
	// open in it, nor here after the exec.
	var in, out [2]int
	for _, p := range []*[2]int{&in, &out} {
		if err := syscall.Pipe2(p[:], 0); err != nil {
			return prog.Fatal(111, "unable to create pipe", err)
		}
	}
	syscall.CloseOnExec(in[0])
	syscall.CloseOnExec(out[1])

	j := job{name: env.Name, pid: strconv.Itoa(os.Getpid()), in: 0, out: 1, to: in[1], from: out[0]}
	if env.Fd(0) == nil {
		j.in = closed
	}
	if env.Fd(1) == nil {
		j.out = closed
	}
	if err := forkCopier(j, env.Environ); err != nil {
		return prog.Fatal(111, "unable to fork", err)
	}
	syscall.Close(j.to)
	syscall.Close(j.from)
	if err := syscall.Dup3(in[0], 0, 0); err != nil {
		return prog.Fatal(111, "unable to move descriptors", err)
	}
	if err := syscall.Dup3(out[1], 1, 0); err != nil {
		return prog.Fatal(111, "unable to move descriptors", err)
	}
	return nil
}

// forkCopier starts this executable again as the copier. It inherits all that
// a forked child would: every descriptor that the caller has left open, and the
// limits that this process was started with.
func forkCopier(j job, environ []string) error {
	argv := []string{j.name + copierName, j.pid}
	for _, fd := range []int{j.in, j.out, j.to, j.from} {
		argv = append(argv, strconv.Itoa(fd))
	}
	_, err := inherit.Start(&inherit.Program{File: "/proc/self/exe", Args: argv, Environ: environ})
	if err == nil {
		return nil
	}
	// Without /proc, as in a chroot, there is the name that was executed.
	if name := executed(); isExecutable(name) {
		_, err = inherit.Start(&inherit.Program{File: name, Args: argv, Environ: environ})
	}
	return err
}

// executed returns the file name that the kernel was given for this process,
// or "" when it does not say.
func executed() string {
	const execFn = 31 // AT_EXECFN: address of the name
	auxv, err := unix.Auxv()
	if err != nil {
		return ""
	}
	for i := range auxv {
		if auxv[i][0] == execFn {
			return unix.BytePtrToString(*(**byte)(unsafe.Pointer(&auxv[i][1])))
		}
	}
	return ""
}

// isExecutable reports whether a file is no script. One whose first line names
// this program would, started as the copier, start this program as it did
// before, and so on without end.
func isExecutable(name string) bool {
	const elf = "\x7fELF"
	f, err := prog.Open(name, os.O_RDONLY, 0)
	if err != nil {
		return false
	}
	defer f.Close()
	magic := make([]byte, len(elf))
	n, _ := f.Read(magic)
	return string(magic[:n]) == elf
}

// jobOf returns the job of this process, if it is a copier.
func jobOf(env *prog.Env) (j job, ok bool) {
	if env.Argv0 != env.Name+copierName || len(env.Args) != 5 {
		return j, false
	}
	j.name, j.pid = env.Name, env.Args[0]
	for k, fd := range []*int{&j.in, &j.out, &j.to, &j.from} {
		n, digits := prog.Number(env.Args[k+1])
		if digits != len(env.Args[k+1]) || n > closed {
			return j, false
		}
		*fd = int(n)
	}
	return j, true
}
