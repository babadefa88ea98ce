package dns

import (
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// message returns a response made by other people's code, with names
// compressed.
func message(t testing.TB, answers ...dnsmessage.Resource) []byte {
	t.Helper()
	m := dnsmessage.Message{
		Header: dnsmessage.Header{Response: true},
		Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName("host.example."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET,
		}},
		Answers: answers,
	}
	p, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func resource(typ dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{
			Name: dnsmessage.MustNewName("host.example."), Type: typ, Class: dnsmessage.ClassINET,
		},
		Body: body,
	}
}

func TestRecords(t *testing.T) {
	name := dnsmessage.MustNewName("mail.host.example.")
	chaos := resource(dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: name})
	chaos.Header.Class = dnsmessage.ClassCHAOS
	p := message(t,
		resource(dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: name}),
		resource(dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}),
		chaos,
		resource(dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: name}),
		resource(dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"a", "", "bc"}}),
		resource(dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 2}}),
	)
	a, err := records(p, typeA)
	if err != nil || len(a) != 2 || string(a[0].data)+string(a[1].data) != "\xc0\x00\x02\x01\xc0\x00\x02\x02" {
		t.Errorf("A records %v, %v", a, err)
	}
	ptr, err := records(p, typePTR)
	if err != nil || len(ptr) != 1 {
		t.Fatalf("PTR records %v, %v", ptr, err)
	}
	if wire, err := ptr[0].name(); err != nil || Text(wire) != "mail.host.example" {
		t.Errorf("PTR %q, %v", wire, err)
	}
	txt, err := records(p, typeTXT)
	if err != nil || len(txt) != 1 || txt[0].text() != "abc" {
		t.Errorf("TXT records %v, %v", txt, err)
	}
	for n := headerLen + 1; n < len(p); n++ {
		if _, err := records(p[:n], typeA); err == nil {
			t.Errorf("no error for the first %d of %d bytes", n, len(p))
		}
	}
}

// The reason for not using dnsmessage to read: PTR records of the real world
// hold bytes that it refuses.
func TestOddName(t *testing.T) {
	odd, err := Wire(`a\056b.example`)
	if err != nil {
		t.Fatal(err)
	}
	p := message(t)
	p[7] = 1
	p = append(p, 0xc0, headerLen, 0, typePTR, 0, classIN, 0, 0, 0, 0, 0, byte(len(odd)))
	p = append(p, odd...)
	var m dnsmessage.Message
	if m.Unpack(p) == nil {
		t.Error("dnsmessage takes a dot in a label: it may do now")
	}
	found, err := records(p, typePTR)
	if err != nil || len(found) != 1 {
		t.Fatalf("records = %v, %v", found, err)
	}
	if wire, err := found[0].name(); err != nil || Text(wire) != `a\056b.example` {
		t.Errorf("name %q, %v", wire, err)
	}
}

func TestReadName(t *testing.T) {
	long := strings.Repeat("\x01a", 126)
	for _, tt := range []struct {
		name, packet string
		at           int
		want         string // "" for an error
		after        int
	}{
		{"plain", "\x01a\x02bc\x00", 0, "a.bc", 6},
		{"pointer", "\x01a\x00\x01b\xc0\x00", 3, "b.a", 7},
		{"pointer to pointer", "\x01a\x00\xc0\x00\xc0\x03", 5, "a", 7},
		{"root", "\x00", 0, ".", 1},
		{"forward", "\xc0\x02\x01a\x00", 0, "a", 2},
		{"itself", "\xc0\x00", 0, "", 0},
		{"two pointers", "\xc0\x02\xc0\x00", 0, "", 0},
		{"loop with a label", "\x01a\xc0\x00", 0, "", 0},
		{"pointer outside", "\xc0\x09", 0, "", 0},
		{"half a pointer", "\xc0", 0, "", 0},
		{"label cut off", "\x05ab", 0, "", 0},
		{"no end", "\x01a", 0, "", 0},
		{"bad label type", "\x40a\x00", 0, "", 0},
		{"bad label type behind a pointer", "\x80\xc0\x00", 1, "", 0},
		{"nothing", "", 0, "", 0},
		{"255 bytes", long + "\x01b\x00", 2, strings.Repeat("a.", 125) + "b", 255},
		{"255 bytes by pointer", "\x01b\x00" + long + "\xc0\x00", 3, strings.Repeat("a.", 126) + "b", 257},
		{"256 bytes", "\x02bb\x00" + long + "\xc0\x00", 4, "", 0},
	} {
		name, after, err := readName([]byte(tt.packet), tt.at)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: readName = %q, want an error", tt.name, name)
			}
			continue
		}
		if err != nil || Text(name) != tt.want || after != tt.after {
			t.Errorf("%s: readName = %q, %d, %v, want %q, %d", tt.name, name, after, err, tt.want, tt.after)
		}
	}
}

func TestTextCutOff(t *testing.T) {
	if got := (record{data: []byte("\x02ab\x09cd")}).text(); got != "abcd" {
		t.Errorf("text = %q", got)
	}
}

// Where both dnsmessage and we read a packet, we read the same from it.
func FuzzPacket(f *testing.F) {
	name := dnsmessage.MustNewName("a.host.example.")
	f.Add(message(f, resource(dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: name})))
	f.Add(message(f, resource(dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"a", "bc"}})))
	f.Add(message(f, resource(dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: 10, MX: name})))
	f.Add(message(f, resource(dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{1, 2, 3, 4}})))
	f.Add([]byte("\x00\x00\x80\x00\x00\x01\xff\xff\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, p []byte) {
		host := []byte("\x04host\x07example\x00")
		answers(p, query(host, typeA))
		if a, err := answerOf(p, host); err == nil && a.Alias != "" && len(a.Texts) > 0 {
			t.Fatalf("records here and elsewhere: %q", a)
		}
		for _, typ := range []uint16{typeA, typePTR, typeMX, typeTXT} {
			found, err := records(p, typ)
			if len(found) > len(p)/11 {
				t.Fatalf("%d records in %d bytes", len(found), len(p))
			}
			for _, rec := range found {
				if wire, err := rec.name(); err == nil {
					Text(wire)
				}
				if mx, err := rec.exchanger(); err == nil {
					if _, err := Wire(mx.Host); err != nil {
						t.Fatalf("exchanger %q: %v", mx.Host, err)
					}
				}
				if len(rec.text()) > len(rec.data) {
					t.Fatal("more text than data")
				}
			}
			var m dnsmessage.Message
			// dnsmessage takes data that is longer than the packet.
			if err != nil || m.Unpack(p) != nil || len(m.Questions) != 1 {
				continue
			}
			n := 0
			for _, a := range m.Answers {
				if uint16(a.Header.Type) == typ && a.Header.Class == dnsmessage.ClassINET {
					n++
				}
			}
			if n != len(found) {
				t.Fatalf("%d records of type %d; dnsmessage finds %d", len(found), typ, n)
			}
		}
	})
}
