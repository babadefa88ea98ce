package dns

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"

	"ucspi-go/internal/socket"
)

// patient is the round in which a refusal is not believed: the rest of the
// round's time is given to the server to think better of it. So a server that
// is just being restarted fails nobody.
const patient = 1

// maxUDP is the size of the largest response without EDNS. A larger one is
// ignored.
const maxUDP = 512

// transmit sends the query to the servers in turn, in rounds, and returns the
// first response that answers it. A response that did not fit sends it to the
// servers over TCP, from the first one, and to UDP no more. As ucspi-tcp 0.88
// dns_transmit.c.
func (r *Resolver) transmit(ctx context.Context, q []byte, servers []netip.AddrPort) (p []byte, err error) {
	err = syscall.EIO // for want of a server
	for round := range r.Rounds {
		for _, server := range servers {
			p, err = r.udp(ctx, q, server, round)
			switch {
			case err == nil && truncated(p):
				return r.allTCP(ctx, q, servers)
			case err == nil:
				return p, nil
			case ctx.Err() != nil:
				return nil, ctx.Err()
			}
		}
	}
	return nil, err
}

func (r *Resolver) allTCP(ctx context.Context, q []byte, servers []netip.AddrPort) (p []byte, err error) {
	for _, server := range servers {
		p, err = r.tcp(ctx, q, server)
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, err
}

// udp sends the query to one server and waits for its answer as long as the
// round takes. The kernel chooses the port at random, and the socket, being
// connected, hears that server alone.
func (r *Resolver) udp(ctx context.Context, q []byte, server netip.AddrPort, round int) ([]byte, error) {
	s, err := socket.Open(ctx, syscall.SOCK_DGRAM, server)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	s.SetDeadline(time.Now().Add(r.Rounds[round]))
	if err := s.Connect(); err != nil {
		return nil, err
	}
	setID(q)
	if _, err := s.Write(q); err != nil {
		return nil, err
	}
	buf := make([]byte, maxUDP+1)
	for {
		n, err := s.Read(buf)
		if err != nil {
			if round == patient && errors.Is(err, syscall.ECONNREFUSED) {
				continue
			}
			return nil, err
		}
		p := buf[:n]
		switch {
		case n > maxUDP || !answers(p, q):
		case truncated(p) || !failed(p):
			return p, nil
		case round != patient:
			return nil, syscall.EAGAIN
		}
	}
}

// tcp sends the query to one server: so long for connecting and sending, as
// long again for the answer.
func (r *Resolver) tcp(ctx context.Context, q []byte, server netip.AddrPort) ([]byte, error) {
	s, err := socket.Open(ctx, syscall.SOCK_STREAM, server)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	s.SetDeadline(time.Now().Add(r.TCPStep))
	if err := s.Connect(); err != nil {
		return nil, err
	}
	setID(q)
	if _, err := s.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(q))), q...)); err != nil {
		return nil, err
	}
	s.SetDeadline(time.Now().Add(r.TCPStep))
	var size [2]byte
	if _, err := io.ReadFull(s, size[:]); err != nil {
		return nil, err
	}
	p := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(s, p); err != nil {
		return nil, err
	}
	if !answers(p, q) || truncated(p) {
		return nil, syscall.EPROTO
	}
	if failed(p) {
		return nil, syscall.EAGAIN
	}
	return p, nil
}

// setID gives the query an id that nobody can guess: the runtime's generator
// is ChaCha8, seeded by the kernel.
func setID(q []byte) { binary.BigEndian.PutUint16(q, uint16(rand.Uint32())) }
