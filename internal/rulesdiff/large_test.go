package rulesdiff

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Rules of which every pair makes a difference of its own are told in bounded
// lines.
func TestMore(t *testing.T) {
	t.Parallel()
	var names, addresses strings.Builder
	for i := range 12 {
		fmt.Fprintf(&names, "=h%d.example:allow,A='%d'\n", i, i)
		fmt.Fprintf(&addresses, "192.0.2.%d:allow,B='%d'\n", i, i)
	}
	got := tellAll(t, names.String(), "joe@10.0.0.1:deny\n"+names.String(), false)
	if want := "denied    joe@10.0.0.1\n"; got != want {
		t.Errorf("%swant\n%s", got, want)
	}
	got = tellAll(t, names.String(), "joe@10.0.0.1:allow,C=''\n"+names.String(), false)
	if n := strings.Count(got, "\n"); n != mostOf || strings.Count(got, ", and more such") != 1 {
		t.Errorf("%d lines:\n%s", n, got)
	}
	got = tellAll(t, addresses.String(), names.String()+addresses.String(), false)
	if n := strings.Count(got, "\n"); n != 12 {
		t.Errorf("%d lines:\n%s", n, got)
	}
	// What an address did, its name does now.
	got = tellAll(t, names.String()+addresses.String(), names.String(), false)
	if n := strings.Count(got, " =h0.example "); n != mostOf || strings.Count(got, ", and more such") != 12 {
		t.Errorf("%d lines for one name:\n%s", n, got)
	}
}

// Memory grows as the rules do, whatever they are.
func TestLinearMemory(t *testing.T) {
	used := func(texts ...string) float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, b := sides(t, texts[0], texts[1], false)
		for _, c := range compare(a, b) {
			c.tell(false)
		}
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	}
	for name, rule := range map[string]func(i int) (before, after string){
		"addresses": func(i int) (string, string) {
			return fmt.Sprintf("10.%d.%d.%d:allow,A='%d'\n", i>>16, i>>8&255, i&255, i%7), fmt.Sprintf("10.%d.%d.%d:allow,A='%d'\n", i>>16, i>>8&255, i&255, i%6)
		},
		"ranges": func(i int) (string, string) {
			return fmt.Sprintf("10.%d.%d.0-255:deny\n", i>>8&255, i&255), fmt.Sprintf("10.%d.%d.:deny\n", i>>8&255, i&255)
		},
		"names and info": func(i int) (string, string) {
			name := fmt.Sprintf("=h%d.example:allow,A='%d'\n", i, i)
			return name, name + fmt.Sprintf("j%d@10.0.%d.%d:allow,B='%d'\n", i, i>>8, i&255, i)
		},
		"one info, many names": func(i int) (string, string) {
			name := fmt.Sprintf("=h%d.example:allow,A='%d'\n", i, i)
			return name + fmt.Sprintf("j@10.0.%d.%d:allow,B='%d'\nj@=h%d.example:allow,C='%d'\n", i>>8, i&255, i, i, i), name
		},
		"names and addresses": func(i int) (string, string) {
			name := fmt.Sprintf("=h%d.example:allow,A='%d'\n", i, i)
			return name + fmt.Sprintf("10.0.%d.%d:allow,B='%d'\n", i>>8, i&255, i), name
		},
	} {
		text := func(n int) []string {
			var before, after strings.Builder
			for i := range n {
				a, b := rule(i)
				before.WriteString(a)
				after.WriteString(b)
			}
			return []string{before.String(), after.String()}
		}
		const n = 500
		small, large := text(n), text(4*n)
		used(small...)
		if a, b := used(small...), used(large...); b > 7*a {
			t.Errorf("%s: %.0f bytes for %d rules, %.0f for %d", name, a, n, b, 4*n)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	var old, new strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&old, "10.%d.%d.%d:allow,RELAYCLIENT=''\n", i>>16, i>>8&255, i&255)
		if i%1000 > 0 {
			fmt.Fprintf(&new, "10.%d.%d.%d:allow,RELAYCLIENT=''\n", i>>16, i>>8&255, i&255)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		before, after := sides(b, old.String(), new.String(), false)
		if n := len(compare(before, after)); n != 100 {
			b.Fatalf("%d changes, want 100", n)
		}
	}
}
