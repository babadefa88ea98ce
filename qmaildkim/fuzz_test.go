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

// FuzzFilter: whatever comes, the message is passed on as it came below fields
// of the filter's own, but for fields that claim to be such, or it is refused
// and nothing is passed on.
func FuzzFilter(f *testing.F) {
	home := keyHome(f)
	for i := range uint8(4) {
		f.Add([]byte("DKIM-Status: good\nFrom: x\n\ny\n"), i)
		f.Add([]byte("From: x\nAuthentication-Results: mx.example.net; none\n"), i)
		f.Add([]byte(craft("d=example.com")), i)
	}
	f.Fuzz(func(t *testing.T, data []byte, mode uint8) {
		environ := rules.Environ{"QMAILHOME=" + home, "DKIMAUTHSERVID=mx.example.net"}
		if mode&1 != 0 {
			environ = append(environ, "DKIMVERIFY=BCDEFGHIJKLMNopqRSTUVWXY")
		}
		if mode&2 != 0 {
			environ = append(environ, "DKIMSIGN=control/domainkeys/%/ed")
		}
		out, report, err := process(t, environ, string(data))
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			if mode&3 != 1 || out != "" || report.Verdict == nil || report.Verdict.Letter == letterGood {
				t.Fatalf("%v; passed on is %q", err, out)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		left := data
		if report.Verdict != nil {
			checkFields(t, *report.Verdict)
			left = without(data, report.Verdict.cut)
		}
		fields, ok := strings.CutSuffix(out, string(left))
		if !ok || (report.Verdict != nil) != strings.HasPrefix(fields, statusField+":") || fields != "" && !strings.HasSuffix(fields, "\n") {
			t.Fatalf("%q became %q", data, out)
		}
		for i, line := range strings.Split(fields, "\n") {
			if i > 0 && line != "" && line[0] != '\t' && line[0] != ' ' && !strings.HasPrefix(line, resultsField+":") {
				t.Fatalf("new fields %q", fields)
			}
		}
	})
}
