package tcpserver

import (
	"syscall"

	"ucspi-go/internal/inherit"
	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// start runs the program for a connection, if the limits of its rule let it,
// and says so.
func (s *Server) start(fd int, c Conn, a Admission) {
	bounds := limits(c.Remote.Addr(), a.Decision.Env)
	number, here, over := s.table.start(blockOf(c.Remote.Addr(), 128), bounds)
	if over != nil {
		s.refuse(fd, c, a, over)
		return
	}
	if len(bounds) > 0 {
		a.Environ = a.countedEnviron(here)
	}
	pid, err := s.spawn(fd, a.Environ)
	switch {
	case err == nil:
		s.tell("ok", pid, c, a, nil)
		s.table.started(number, pid, c.Remote)
	case noProcess(err):
		s.table.startFailed(number)
		s.log.drop("unable to fork", err)
		s.table.remember(func(a *account) { a.dropped.add("process") })
		s.table.dropped()
	default:
		s.table.startFailed(number)
		n := s.table.number()
		s.tell("ok", n, c, a, nil)
		s.log.drop("unable to run "+s.Program[0], err)
		s.table.remember(func(a *account) { a.dropped.add("program") })
		s.table.ended(n, 111)
	}
}

// tell writes the two lines about a connection that is decided. A remark, if
// there is one, says which of the rule's variables did it.
func (s *Server) tell(verdict string, pid int, c Conn, a Admission, remark *rules.Var) {
	s.log.pid(pid, c.Remote)
	s.log.decided(verdict, pid, c, a, remark)
}

// spawn starts the program with the connection as descriptors 0 and 1. Every
// descriptor of the server's own is close-on-exec; 2 and what else it was
// started with pass through.
//
// PATH is that of the server, not the one that a rule may have set.
func (s *Server) spawn(fd int, env rules.Environ) (pid int, err error) {
	program := inherit.Program{Args: s.Program, Environ: env.Strings(), Files: []int{fd, fd}}
	path, set := s.Environ.Lookup("PATH")
	err = prog.FindProgram(s.Program[0], path, set, func(file string) error {
		// Found out here, a missing program costs no process.
		if err := prog.Executable(file); err != nil {
			return err
		}
		program.File = file
		pid, err = inherit.Start(&program)
		return err
	})
	return pid, err
}

// noProcess reports whether err, of a start, is about the process and not
// about the program.
func noProcess(err error) bool {
	switch err {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE:
		return true
	}
	return false
}
