// Package dnsserver is a small authoritative name server on loopback for
// tests and for the demo. It can also misbehave in the ways that a resolver
// must survive.
package dnsserver

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"ucspi-go/internal/dns"
)

// A Server answers over UDP and TCP until it is closed.
type Server struct {
	udp  net.PacketConn
	tcp  io.Closer // a net.Listener, or a port that is only held
	done sync.WaitGroup

	mu      sync.Mutex
	zone    Zone
	conns   map[net.Conn]bool
	queries []string
	held    []func() // replies, until every name was asked for
}

// Start starts a Server on 127.0.0.1 and a port that the kernel chooses.
func Start(zone Zone) (*Server, error) {
	// The port is free for TCP; it may be taken for UDP.
	const tries = 20
	var err error
	for range tries {
		var s *Server
		if s, err = StartAt("127.0.0.1:0", zone); err == nil {
			return s, nil
		}
	}
	return nil, err
}

// StartAt starts a Server on an address with its port.
func StartAt(addr string, zone Zone) (*Server, error) {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dnsserver: %w", err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		tcp.Close()
		return nil, fmt.Errorf("dnsserver: %w", err)
	}
	s := &Server{udp: udp, tcp: tcp, zone: zone, conns: map[net.Conn]bool{}}
	s.done.Go(s.serveUDP)
	s.done.Go(func() { s.serveTCP(tcp) })
	return s, nil
}

// Addr returns "127.0.0.1:PORT", which may be the value of DNSCACHEIP.
func (s *Server) Addr() string { return s.udp.LocalAddr().String() }

// Publish makes the server answer from another zone.
func (s *Server) Publish(zone Zone) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.zone = zone
}

// Close stops the server. It returns when nothing of it is left.
func (s *Server) Close() error {
	err := errors.Join(s.udp.Close(), s.tcp.Close())
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.done.Wait()
	return err
}

// Queries returns the last queries, each as "udp TYPE NAME" or "tcp TYPE
// NAME", TYPE being a number.
func (s *Server) Queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.queries...)
}

// answer records the query and answers it.
func (s *Server) answer(p []byte, network string) reply {
	const kept = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if q, ok := parseQuestion(p); ok {
		if len(s.queries) == kept {
			s.queries = s.queries[1:]
		}
		s.queries = append(s.queries, fmt.Sprintf("%s %d %s", network, q.typ, dns.Text(q.name)))
	}
	return s.zone.answer(p, network)
}

// send sends a reply, one that is to be held when its time has come.
func (s *Server) send(r reply, to net.Addr) {
	write := func() {
		for _, p := range r.packets {
			s.udp.WriteTo(p, to)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.fault == hold {
		s.held = append(s.held, write)
	} else {
		write()
	}
	if s.zone.allAsked() {
		for _, write := range s.held {
			write()
		}
		s.held = nil
	}
}

func (s *Server) serveUDP() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		s.send(s.answer(buf[:n], overUDP), from)
	}
}

func (s *Server) serveTCP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		closed := s.conns == nil
		if !closed {
			s.conns[c] = true
		}
		s.mu.Unlock()
		if closed {
			c.Close()
			return
		}
		s.done.Go(func() { s.converse(c) })
	}
}

// converse answers the queries of one connection. A query that is to be left
// alone leaves it open, for the client to lose patience.
func (s *Server) converse(c net.Conn) {
	defer func() {
		c.Close()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
	c.SetDeadline(time.Now().Add(time.Minute))
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		p := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, p); err != nil {
			return
		}
		if !s.reply(c, s.answer(p, overTCP)) {
			return
		}
	}
}

// reply sends a reply over TCP and reports whether the connection goes on.
func (s *Server) reply(c net.Conn, r reply) bool {
	if r.fault == end {
		return false
	}
	for _, p := range r.packets {
		p = p[:min(len(p), 0xffff)]
		p = append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...)
		pieces := [][]byte{p}
		switch r.fault {
		case short:
			pieces[0] = p[:len(p)/2]
		case drip:
			pieces = nil
			for i := range p {
				pieces = append(pieces, p[i:i+1])
			}
		}
		for _, piece := range pieces {
			if _, err := c.Write(piece); err != nil {
				return false
			}
		}
	}
	return r.fault != short
}
