package recordio

import (
	"math"
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

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

// forkCopier starts this executable again as the copier. It inherits every
// descriptor that the caller has left open, as a forked child would.
func forkCopier(j job, environ []string) error {
	argv := []string{j.name + copierName, j.pid}
	for _, fd := range []int{j.in, j.out, j.to, j.from} {
		argv = append(argv, strconv.Itoa(fd))
	}
	attr := &syscall.ProcAttr{Env: environ, Files: []uintptr{0, 1, 2}}
	_, err := syscall.ForkExec("/proc/self/exe", argv, attr)
	if err == nil {
		return nil
	}
	// Without /proc, as in a chroot, there is the name that was executed.
	if name := executed(); name != "" {
		_, err = syscall.ForkExec(name, argv, attr)
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
