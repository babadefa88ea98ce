package dnsserver

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// StartWithoutTCP is Start for a server that answers over UDP alone: a
// connection to its port is refused.
func StartWithoutTCP(zone Zone) (*Server, error) {
	const tries = 20
	var err error
	for range tries {
		var s *Server
		if s, err = startWithoutTCP(zone); err == nil {
			return s, nil
		}
	}
	return nil, err
}

func startWithoutTCP(zone Zone) (*Server, error) {
	port, held, err := holdPort()
	if err != nil {
		return nil, fmt.Errorf("dnsserver: %w", err)
	}
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		held.Close()
		return nil, fmt.Errorf("dnsserver: %w", err)
	}
	s := &Server{udp: udp, tcp: held, zone: zone}
	s.done.Go(s.serveUDP)
	return s, nil
}

// holdPort returns a TCP port of 127.0.0.1 on which nobody listens, nor can
// anybody until held is closed.
func holdPort() (port int, held *os.File, err error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	held = os.NewFile(uintptr(fd), "socket")
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		var local syscall.Sockaddr
		if local, err = syscall.Getsockname(fd); err == nil {
			return local.(*syscall.SockaddrInet4).Port, held, nil
		}
	}
	held.Close()
	return 0, nil, err
}
