// Package ident asks a client's host who the client is, by RFC 1413.
package ident

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"strconv"
	"syscall"

	"ucspi-go/internal/socket"
)

const port = 113

// maxInfo is the count of bytes that are kept of an answer.
const maxInfo = 257

// Query asks the remote host of a connection, from its local address, who has
// opened the connection, and returns the answer: what follows the third colon
// of the reply without blanks, tabs and carriage returns. It is empty, with
// no error, for a reply with fewer colons, such as "ERROR : NO-USER". A reply
// that is not a whole line is an error. Ctx bounds the whole exchange. As
// ucspi-tcp 0.88 remoteinfo.c.
func Query(ctx context.Context, local, remote netip.AddrPort) (info string, err error) {
	return query(ctx, local, remote, port)
}

func query(ctx context.Context, local, remote netip.AddrPort, port uint16) (info string, err error) {
	info, err = ask(ctx, local, remote, port)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return info, err
}

func ask(ctx context.Context, local, remote netip.AddrPort, port uint16) (string, error) {
	s, err := socket.Open(ctx, syscall.SOCK_STREAM, netip.AddrPortFrom(remote.Addr(), port))
	if err != nil {
		return "", err
	}
	defer s.Close()
	if err := s.Bind(local.Addr()); err != nil {
		return "", err
	}
	if err := s.Connect(); err != nil {
		return "", err
	}
	ports := strconv.AppendUint(nil, uint64(remote.Port()), 10)
	ports = append(ports, " , "...)
	ports = strconv.AppendUint(ports, uint64(local.Port()), 10)
	if _, err := s.Write(append(ports, "\r\n"...)); err != nil {
		return "", err
	}
	return readReply(s)
}

// readReply reads a reply up to its newline, or as much as is kept. What
// follows a NUL is dropped, since no environment can hold it.
func readReply(r io.Reader) (string, error) {
	var info []byte
	colons := 0
	buf := make([]byte, 128)
	for {
		n, err := r.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c == ' ', c == '\t', c == '\r':
			case c == '\n':
				return untilNUL(info), nil
			case colons < 3:
				if c == ':' {
					colons++
				}
			default:
				if info = append(info, c); len(info) == maxInfo {
					return untilNUL(info), nil
				}
			}
		}
		if err != nil {
			return "", err
		}
	}
}

func untilNUL(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}
