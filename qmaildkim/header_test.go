package qmaildkim

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/internal/spool"
)

func TestReadHeader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in     string
		fields string // name@offset+lines
		size   int64
		closed bool
		fault  string
	}{
		{"", "", 0, false, ""},
		{"\n", "", 1, true, ""},
		{"\r\nFrom: x\n", "", 2, true, ""},
		{"From: x", "From@0+1", 7, false, ""},
		{"From: x\nTo: y\n\nbody\n\n", "From@0+1 To@8+1", 15, true, ""},
		{"From: x\r\nTo: y\r\n\r\nbody", "From@0+1 To@9+1", 18, true, ""},
		{"From: x\n\r\n", "From@0+1", 10, true, ""},
		{"From: x\n y\n\t\n \nTo: z\n\n", "From@0+4 To@15+1", 22, true, ""},
		{"From \t: x\nX:\n\n", "From@0+1 X@10+1", 14, true, ""},
		{"From x\nTo: y\n\n", "@0+1 To@7+1", 14, true, faultSyntax},
		{" From: x\n\n", "@0+1", 10, true, faultSyntax},
		{"From: x\nno field\n\n", "From@0+1 @8+1", 18, true, faultSyntax},
		{">From joe 12:30\n\n", "@0+1", 17, true, faultSyntax},
		{": x\n\n", "@0+1", 5, true, faultSyntax},
		{"X\x00: y\n\n", "@0+1", 7, true, faultSyntax},
		{"\xe9: y\n\n", "@0+1", 6, true, faultSyntax},
		{"From: x\n\r", "From@0+1 @8+1", 9, false, faultSyntax},
		{strings.Repeat("X: y\n", maxFields) + "\n", "", maxFields*5 + 1, true, ""},
		{strings.Repeat("X: y\n", maxFields+1) + "\n", "", maxFields*5 + 6, false, faultLimit},
		{"X: " + strings.Repeat("y", maxHeader-5) + "\n\nbody", "X@0+1", maxHeader, true, ""},
		{"X: " + strings.Repeat("y", maxHeader-4) + "\n\nbody", "X@0+1", maxHeader + 1, true, faultLimit},
	} {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(test.in), "bytewise": iotest.OneByteReader(strings.NewReader(test.in)),
		} {
			h, body, err := readHeader(r, &spool.Spool{Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for i, f := range h.fields {
				if test.fields != "" {
					fields = append(fields, fmt.Sprintf("%s@%d+%d", f.name, f.at, f.lines))
				}
				if string(f.raw) != test.in[f.at:f.at+int64(len(f.raw))] {
					t.Errorf("%.40q: field %d is not the text at its offset", test.in, i)
				}
			}
			if got := strings.Join(fields, " "); got != test.fields || h.size != test.size || h.closed != test.closed || h.fault != test.fault {
				t.Errorf("%s %.40q: %.80s size %d closed %v fault %q; want %+.80v", name, test.in, got, h.size, h.closed, h.fault, test)
			}
			if !strings.HasPrefix(test.in[h.size:], string(body)) {
				t.Errorf("%s %.40q: body starts with %.40q", name, test.in, body)
			}
		}
	}
}

func TestHeaderList(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		header  string
		exclude []string
		want    string
		full    bool
	}{
		{"From: x\n\n", nil, "From:From", false},
		{"Received: r\nX-A: b\nReturn-Path: p\nBcc: x\nDKIM-Signature: y\nFrom: x\nList-Id: l\nSUBJECT: s\nTo: a\nto: b\n\n", nil,
			"From:From:Subject:Subject:To:To:To:List-Id", false},
		{"From: x\nList-Id: l\nList-Post: l\nSubject: s\n\n", []string{"list-", "fr"}, "From:From:Subject:Subject", false},
		{"From: x\n" + strings.Repeat("To: x\n", 500) + "Cc: y\n\n", nil, "From:From:Cc:Cc", true},
	} {
		list, fields, full := headerList(splitHeader([]byte(test.header)), test.exclude)
		if got := strings.Join(list, ":"); got != test.want || full != test.full {
			t.Errorf("%.40q: %s, %v; want %s, %v", test.header, got, full, test.want, test.full)
		}
		for _, f := range fields {
			if !strings.Contains(strings.ToLower(test.want), strings.ToLower(f.name)) {
				t.Errorf("%.40q: field %s is given to the signer", test.header, f.name)
			}
		}
	}
}
