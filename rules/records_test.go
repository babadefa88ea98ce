package rules_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"ucspi-go/rules"
)

// Records yields each key once, with the decision that a lookup finds.
func TestRecords(t *testing.T) {
	t.Parallel()
	texts := []string{"", ":deny\n", ":deny\n:allow\n:deny\n", manyRules(3000) + "10.0.0-9.0-255:deny\n=a:deny\n=a:allow,A='b'\n"}
	for _, name := range []string{"language", "hash0", "site"} {
		text, err := os.ReadFile("testdata/" + name + ".rules")
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	for _, text := range texts {
		data := compile(t, text)
		want := make(map[string]string)
		for _, r := range records(data) {
			if _, found := want[r.Name]; !found {
				want[r.Name] = r.Value
			}
		}
		db := open(t, data)
		for d, err := range db.Records() {
			if err != nil {
				t.Fatal(err)
			}
			if data, found := want[d.Key]; !found || !d.Found || d.Data != data {
				t.Errorf("%q: %+v, want %q once", text[:min(40, len(text))], d, data)
			}
			delete(want, d.Key)
		}
		if len(want) > 0 {
			t.Errorf("%q: %d records are missing", text[:min(40, len(text))], len(want))
		}
		for range db.Records() {
			break
		}
	}
}

// Slots that name one large record again and again are a damaged file.
func TestRecordsHostile(t *testing.T) {
	t.Parallel()
	data := compile(t, strings.Repeat("1.2.3.4:deny,A='"+strings.Repeat("x", 1000)+"'\n", 5))
	table := rules.Hash("1.2.3.4") & 0xff * 8
	start := binary.LittleEndian.Uint32(data[table:])
	for i := range binary.LittleEndian.Uint32(data[table+4:]) - 1 {
		slot := data[start+8*i:]
		binary.LittleEndian.PutUint32(slot, rules.Hash("1.2.3.4"))
		binary.LittleEndian.PutUint32(slot[4:], 2048)
	}
	var last error
	for _, last = range open(t, data).Records() {
	}
	if !errors.Is(last, rules.ErrCorrupt) {
		t.Errorf("error %v, want ErrCorrupt", last)
	}
}

// Owners agree with a map of all keys.
func TestOwners(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	number := func() string { return strconv.Itoa(random.IntN(6)) }
	for range 500 {
		var o rules.Owners
		owner := make(map[string]int)
		for i := range 10 {
			address := []string{"", "1." + number() + "-" + number() + ".", "1.2." + number(), number() + "-" + number() + ".2.",
				"=a-" + number(), "joe@1.2.3." + number(), "1." + number() + "-" + number()}[random.IntN(7)]
			want := make(map[string]int)
			for key := range (rules.Rule{Address: address}).Keys() {
				if _, found := owner[key]; !found {
					owner[key] = i
				}
				want[key] = owner[key]
			}
			for _, part := range (rules.Rule{Address: address}).Parts() {
				o.Add(part, i, func(p rules.Part, who int) {
					for n := p.Low; n <= p.Top; n++ {
						if key := p.Key(n); want[key] != who {
							t.Fatalf("rule %d, %q: owner of %q is %d, want %d", i, address, key, who, want[key])
						} else {
							delete(want, key)
						}
					}
				})
			}
			if len(want) > 0 {
				t.Fatalf("%q: without owner: %v", address, want)
			}
		}
	}
}
