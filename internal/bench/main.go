// Bench times the project's programs against the C programs that are
// installed: interleaved runs, medians, and the ratio of the medians, where
// less than 1 means that ours is better. What is missing is named and left out.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"ucspi-go/internal/getopt"
	"ucspi-go/internal/prog"
	"ucspi-go/internal/testprog"
)

const usage = "bench [ -b bindir ] [ -q ] [ tcprules | tcpserver | dkim | filters ... ]"

func main() { prog.Main("bench", run) }

func run(_ context.Context, env *prog.Env) error {
	b := &bench{out: env.Stdout, bin: "bin", scale: 1}
	args := env.Args
	for opt, arg := range getopt.Parse(&args, "b:q") {
		switch opt {
		case 'b':
			b.bin = arg
		case 'q':
			b.scale = 3
		default:
			return prog.Usage(usage, arg)
		}
	}
	sections := map[string]func() error{"tcprules": b.tcprules, "tcpserver": b.tcpserver, "dkim": b.dkim, "filters": b.filters}
	if len(args) == 0 {
		args = []string{"tcprules", "tcpserver", "dkim", "filters"}
	}
	if err := b.setUp(); err != nil {
		return prog.Fatal(111, "unable to set up: "+err.Error(), nil)
	}
	defer os.RemoveAll(b.dir)
	for _, name := range args {
		section, ok := sections[name]
		if !ok {
			return prog.Usage(usage, "no section "+name)
		}
		if err := section(); err != nil {
			return prog.Fatal(111, name+": "+err.Error(), nil)
		}
	}
	fmt.Fprintln(b.out)
	for _, r := range b.ratios {
		fmt.Fprintln(b.out, r)
	}
	return nil
}

type bench struct {
	out    io.Writer
	bin    string // the project's programs
	root   string // the source tree
	dir    string // scratch
	scale  int    // divides the number of runs
	ratios []string
}

func (b *bench) setUp() error {
	var err error
	if b.bin, err = filepath.Abs(b.bin); err != nil {
		return err
	}
	if b.root, err = testprog.Root(); err != nil {
		return err
	}
	b.dir, err = os.MkdirTemp("", "ucspi-go-bench.")
	return err
}

func (b *bench) runs(n int) int { return max(3, n/b.scale) }

// file returns the path of a scratch file.
func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// peer returns the path of another project's program, or "" after naming it
// as missing.
func (b *bench) peer(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		fmt.Fprintf(b.out, "missing: %s\n", name)
		return ""
	}
	return path
}

// compile builds a C helper, or returns "" after saying that it cannot.
func (b *bench) compile(name string, flags ...string) string {
	exe := b.file(name)
	args := append([]string{"-O2", "-o", exe, filepath.Join(b.root, "internal", "bench", "c", name+".c")}, flags...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(b.out, "missing: %s cannot be compiled (%v) %.200s\n", name, err, out)
		return ""
	}
	return exe
}

// A sample is what one run cost.
type sample struct {
	wall, cpu time.Duration
	peak      int64 // KiB
	p99       time.Duration
}

// A contestant is one program of a comparison.
type contestant struct {
	name string
	run  func() (sample, error)
}

// compare runs the contestants in turn, n times after one warm-up, prints
// their medians and the ratios of the first to each of the others.
func (b *bench) compare(label string, n int, contestants ...contestant) error {
	samples := make([][]sample, len(contestants))
	for round := range n + 1 {
		for k := range contestants {
			k = (k + round) % len(contestants) // no one always runs first
			s, err := contestants[k].run()
			if err != nil {
				return fmt.Errorf("%s: %s: %w", label, contestants[k].name, err)
			}
			if round > 0 {
				samples[k] = append(samples[k], s)
			}
		}
	}
	fmt.Fprintf(b.out, "-- %s (%d runs)\n", label, n)
	var medians []sample
	for k, c := range contestants {
		m := median(samples[k])
		medians = append(medians, m)
		fmt.Fprintf(b.out, "%-14s wall %9.2f ms  cpu %9.2f ms  peak %6.1f MiB", c.name, ms(m.wall), ms(m.cpu), float64(m.peak)/1024)
		if m.p99 > 0 {
			fmt.Fprintf(b.out, "  p99 %7.2f ms", ms(m.p99))
		}
		fmt.Fprintln(b.out)
	}
	for k, c := range contestants[1:] {
		us, them := medians[0], medians[k+1]
		line := fmt.Sprintf("ratio %s to %s: wall %.2f cpu %.2f", label, c.name, quotient(us.wall, them.wall), quotient(us.cpu, them.cpu))
		if us.p99 > 0 {
			line += fmt.Sprintf(" p99 %.2f", quotient(us.p99, them.p99))
		}
		b.ratios = append(b.ratios, line)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

func quotient(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

func median(s []sample) sample {
	return sample{
		wall: middle(s, func(s sample) time.Duration { return s.wall }),
		cpu:  middle(s, func(s sample) time.Duration { return s.cpu }),
		p99:  middle(s, func(s sample) time.Duration { return s.p99 }),
		peak: int64(middle(s, func(s sample) time.Duration { return time.Duration(s.peak) })),
	}
}

func middle(s []sample, of func(sample) time.Duration) time.Duration {
	v := make([]time.Duration, len(s))
	for i := range s {
		v[i] = of(s[i])
	}
	slices.Sort(v)
	return v[len(v)/2]
}
