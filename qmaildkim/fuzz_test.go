package qmaildkim

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"ucspi-go/rules"

	"ucspi-go/internal/spool"
)

// FuzzSplitHeader: the fields are the bytes of the header, in order, without
// gaps, and it makes no difference in what pieces a header comes.
func FuzzSplitHeader(f *testing.F) {
	for _, h := range awkwardHeaders {
		f.Add([]byte(h.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, body, err := readHeader(bytes.NewReader(data), &spool.Spool{})
		if err != nil {
			t.Fatal(err)
		}
		at := int64(0)
		for _, f := range h.fields {
			if f.at != at || !bytes.Equal(f.raw, data[at:at+int64(len(f.raw))]) {
				t.Fatalf("field at %d, want %d", f.at, at)
			}
			if f.lines > 1+bytes.Count(f.raw, []byte("\n")) {
				t.Fatalf("%d lines in %q", f.lines, f.raw)
			}
			if strings.ContainsAny(f.name, ": \t\r\n\x00") {
				t.Fatalf("name %q", f.name)
			}
			at += int64(len(f.raw))
		}
		if rest := string(data[at:h.size]); !h.over && h.closed != isBlank([]byte(rest)) || !h.over && !h.closed && rest != "" {
			t.Fatalf("closed %v, but %q behind the fields", h.closed, rest)
		}
		if !bytes.HasPrefix(data[h.size:], body) {
			t.Fatalf("body starts with %q", body)
		}
		slow, _, err := readHeader(iotest.OneByteReader(bytes.NewReader(data)), &spool.Spool{})
		if err != nil || slow.size != h.size || len(slow.fields) != len(h.fields) || slow.fault != h.fault {
			t.Fatalf("in pieces %+v, %v; at once %+v", slow, err, h)
		}
	})
}

// FuzzOptions: options are refused, or are within what a signature can hold.
func FuzzOptions(f *testing.F) {
	for _, text := range []string{"-z 2", "-c r -x 3600 -i 'a b@x'", "-bl", "-z", "-x -", "\"-t", "word -l"} {
		f.Add(text, "")
	}
	f.Add("", "60")
	f.Fuzz(func(t *testing.T, text, expire string) {
		o, err := parseOptions(text, rules.Environ{"DKIMEXPIRE=" + expire})
		if err != nil {
			return
		}
		if o.expire < 0 || o.expire.Seconds() >= 1<<31 {
			t.Errorf("parseOptions(%q) expires after %v", text, o.expire)
		}
		if value, ok := identity(o.identity, "example.com"); ok {
			if strings.ContainsAny(value, "; \t\r\n\x00") || strings.ContainsFunc(value, func(r rune) bool { return r > '~' }) {
				t.Errorf("i=%q", value)
			}
		}
	})
}

// FuzzKeysLine: a line never gives a path or settings that it does not hold.
func FuzzKeysLine(f *testing.F) {
	f.Add("example.com:control/%/k:A=b,C=d", "example.com")
	f.Add("*.example.*:", "a.example.com")
	f.Add("x", "x")
	f.Add("*a*b*::=,", "xaybz")
	f.Fuzz(func(t *testing.T, text, domain string) {
		line, found, err := findKeysLine([]string{text}, domain)
		if !found && (err != nil || line.path != "" || line.settings != nil) {
			t.Fatalf("not found, but %+v, %v", line, err)
		}
		if !strings.Contains(text, line.path) {
			t.Errorf("path %q", line.path)
		}
		for _, v := range line.settings {
			if v.Name == "" && err == nil || !strings.Contains(text, v.Name+"="+v.Value) && !strings.Contains(text, v.Name) {
				t.Errorf("setting %q", v)
			}
		}
	})
}

// FuzzSign: any message is passed on unchanged below the new field, or
// without one for a reason; a signature of what travels well verifies.
func FuzzSign(f *testing.F) {
	home := keyHome(f)
	for i, h := range awkwardHeaders {
		f.Add([]byte(h.text+awkwardBodies[i].text), uint8(i))
	}
	f.Add([]byte("From: joe@example.com\n\na \rb\r"), uint8(0))
	f.Fuzz(func(t *testing.T, data []byte, c uint8) {
		msg := string(data)
		environ := rules.Environ{"QMAILHOME=" + home, "DKIMSIGN=control/domainkeys/%/ed", "DKIMSIGNOPTIONS=-c " + "rstu"[c%4:c%4+1]}
		out, report, err := process(t, environ, msg)
		if err != nil {
			t.Fatal(err)
		}
		field, below := strings.CutSuffix(out, msg)
		if !below || (field == "") != (report.Reason != "") || strings.Contains(field, "\r") {
			t.Fatalf("%q became %q, reason %q", msg, out, report.Reason)
		}
		if line := report.Line(1); strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\r\x00\x7f") {
			t.Fatalf("log %q", line)
		}
		if field != "" && !strings.Contains(strings.ReplaceAll(msg, "\r\n", "\n"), "\r") {
			good(t, out, 1)
		}
	})
}

// FuzzFilter: whatever comes, verifying ends without error and leaves out no
// more than fields that claim to be its own.
func FuzzFilter(f *testing.F) {
	f.Add([]byte("DKIM-Status: good\nFrom: x\n\ny\n"))
	f.Add([]byte("From: x\nAuthentication-Results: mx.example.net; none\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, report, err := process(t, rules.Environ{"QMAILHOME=/none", "DKIMAUTHSERVID=mx.example.net"}, string(data))
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) || err != nil {
			t.Fatal(err)
		}
		if report.Verdict.cut == nil && !strings.HasSuffix(out, string(data)) {
			t.Fatalf("%q became %q", data, out)
		}
	})
}
