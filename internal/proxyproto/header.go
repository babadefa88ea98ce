// Package proxyproto reads the header by which a proxy says whose connection
// it passes on: the PROXY protocol, versions 1 and 2, of HAProxy's
// proxy-protocol.txt. It reads not one byte more than the header has.
//
// It is our own because github.com/pires/go-proxyproto reads ahead into a
// buffer, which another program than the reader would miss, and links net and
// fmt, which would cost tcpserver memory.
package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"strings"

	"ucspi-go/internal/prog"
)

// MaxSize is the longest header that is read, in bytes. What follows the
// addresses in version 2, such as a TLS client's certificate name, is skipped.
const MaxSize = 4096

const (
	signature1 = "PROXY "
	signature2 = "\r\n\r\n\x00\r\nQUIT\n"

	max1 = 107 // the longest of version 1, with its CR LF
	min1 = len("PROXY UNKNOWN\r\n")
	min2 = len(signature2) + 4
)

// ErrNone is returned when the connection ends before its first byte.
var ErrNone = errors.New("proxyproto: no header")

// ErrInvalid is returned for bytes that are no header, or one that cannot be
// obeyed: of a UDP client, of a socket in a file system, or over MaxSize.
var ErrInvalid = errors.New("proxyproto: invalid header")

// A Header says who is connected with whom.
type Header struct {
	// Own says that the connection is the proxy's own, as for checking
	// whether somebody is there, or that the proxy does not know whose it is.
	// There are no addresses then.
	Own bool

	Source      netip.AddrPort // of the client
	Destination netip.AddrPort // to which the client connected
}

// Begins reports whether b begins with the signature of a header, and if not,
// whether it may do so when more has come.
func Begins(b []byte) (header, more bool) {
	for _, sig := range []string{signature1, signature2} {
		if n := min(len(b), len(sig)); string(b[:n]) == sig[:n] {
			return n == len(sig), n < len(sig)
		}
	}
	return false, false
}

// Read reads a header. The error is ErrNone, ErrInvalid, io.ErrUnexpectedEOF
// or one of r; how much was read then is of no account.
func Read(r io.Reader) (Header, error) {
	buf := make([]byte, min1, max1)
	if n, err := io.ReadFull(r, buf[:1]); n == 0 {
		if err == io.EOF {
			err = ErrNone
		}
		return Header{}, err
	}
	sig := signature1
	if buf[0] != sig[0] {
		sig = signature2
	}
	if err := fill(r, buf[1:len(sig)]); err != nil {
		return Header{}, err
	}
	switch {
	case string(buf[:len(sig)]) != sig:
		return Header{}, ErrInvalid
	case sig == signature1:
		return read1(r, buf)
	default:
		return read2(r)
	}
}

// fill reads all of b. An end in it is never a good one.
func fill(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// read1 reads the rest of a line of which the signature is read.
func read1(r io.Reader, line []byte) (Header, error) {
	if err := fill(r, line[len(signature1):]); err != nil {
		return Header{}, err
	}
	for {
		n := len(line)
		if end := bytes.IndexByte(line, '\n'); end == n-1 {
			break
		} else if end >= 0 {
			return Header{}, ErrInvalid // shorter than the shortest
		}
		more := 2
		if line[n-1] == '\r' {
			more = 1
		}
		if n+more > max1 {
			return Header{}, ErrInvalid
		}
		line = line[:n+more]
		if err := fill(r, line[n:]); err != nil {
			return Header{}, err
		}
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok {
		return Header{}, ErrInvalid
	}
	return parse1(text)
}

func parse1(text string) (Header, error) {
	if f := strings.SplitN(text, " ", 3); f[1] == "UNKNOWN" {
		return Header{Own: true}, nil
	}
	const family, source, destination, sourcePort, destinationPort, fields = 1, 2, 3, 4, 5, 6
	f := strings.Split(text, " ")
	if len(f) != fields || f[family] != "TCP4" && f[family] != "TCP6" {
		return Header{}, ErrInvalid
	}
	var h Header
	for _, end := range []struct {
		to         *netip.AddrPort
		addr, port string
	}{{&h.Source, f[source], f[sourcePort]}, {&h.Destination, f[destination], f[destinationPort]}} {
		a, err := netip.ParseAddr(end.addr)
		port, digits := prog.Number(end.port)
		if err != nil || a.Is4() != (f[family] == "TCP4") || a.Zone() != "" ||
			digits == 0 || digits > 5 || digits < len(end.port) || port > 65535 {
			return Header{}, ErrInvalid
		}
		*end.to = netip.AddrPortFrom(a.Unmap(), uint16(port))
	}
	return h, nil
}

// read2 reads what follows the signature of version 2.
func read2(r io.Reader) (Header, error) {
	const (
		local, proxied   = 0x20, 0x21 // version and command
		none, tcp4, tcp6 = 0x00, 0x11, 0x21
		size4, size6     = 2*4 + 2*2, 2*16 + 2*2
	)
	var head [4]byte
	if err := fill(r, head[:]); err != nil {
		return Header{}, err
	}
	command, family, size := head[0], head[1], int(binary.BigEndian.Uint16(head[2:]))
	if command != local && command != proxied || min2+size > MaxSize {
		return Header{}, ErrInvalid
	}
	rest := make([]byte, size)
	if err := fill(r, rest); err != nil {
		return Header{}, err
	}
	switch {
	case command == local || family == none:
		return Header{Own: true}, nil
	case family == tcp4 && size >= size4:
		return Header{
			Source:      endpoint(netip.AddrFrom4([4]byte(rest)), rest[8:]),
			Destination: endpoint(netip.AddrFrom4([4]byte(rest[4:])), rest[10:]),
		}, nil
	case family == tcp6 && size >= size6:
		return Header{
			Source:      endpoint(netip.AddrFrom16([16]byte(rest)), rest[32:]),
			Destination: endpoint(netip.AddrFrom16([16]byte(rest[16:])), rest[34:]),
		}, nil
	}
	return Header{}, ErrInvalid
}

// endpoint makes an IPv4 address of a mapped one: that is what the rules know.
func endpoint(a netip.Addr, port []byte) netip.AddrPort {
	return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(port))
}
