package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"ucspi-go/rules"
)

func manyRules(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "10.%d.%d.%d:allow,RELAYCLIENT=\"\",DKIMKEY=\"control/domainkeys/%%/default\"\n", i>>16&255, i>>8&255, i&255)
	}
	return b.String() + ":deny\n"
}

func BenchmarkCompile(b *testing.B) {
	text := manyRules(10000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := rules.CompileText(strings.NewReader(text), nothing{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	name := write(b, compile(b, manyRules(10000)))
	db, err := rules.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	live := rules.NewLive(name)
	live.Settle()
	defer live.Close()
	for _, c := range []struct{ name, ip string }{{"first key", "10.0.10.7"}, {"last key", "11.1.1.1"}} {
		for _, l := range []struct {
			name   string
			lookup func(rules.Client) (rules.Decision, error)
		}{{"DB", db.Lookup}, {"Live", live.Lookup}} {
			b.Run(c.name+"/"+l.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if d, err := l.lookup(rules.Client{IP: c.ip}); err != nil || !d.Found {
						b.Fatalf("Lookup = %+v, %v", d, err)
					}
				}
			})
		}
	}
}

// A database that is too large to be read for what it holds is searched for
// all blocks of addresses.
func BenchmarkLookupLarge(b *testing.B) {
	db := build(b, manyRules(60000))
	b.ReportAllocs()
	for b.Loop() {
		if d, err := db.Lookup(rules.Client{IP: "11.1.1.1"}); err != nil || !d.Found {
			b.Fatalf("Lookup = %+v, %v", d, err)
		}
	}
}

// BenchmarkOpenAndLookup is what tcprulescheck does, and what tcpserver does
// for a connection right after the file has changed.
func BenchmarkOpenAndLookup(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			name := write(b, compile(b, manyRules(n)))
			for b.Loop() {
				db, err := rules.Open(name)
				if err != nil {
					b.Fatal(err)
				}
				if d, err := db.Lookup(rules.Client{IP: "11.1.1.1"}); err != nil || !d.Found {
					b.Fatalf("Lookup = %+v, %v", d, err)
				}
				db.Close()
			}
		})
	}
}
