package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A linked is what a folder of programs is made of.
type linked struct {
	programs []program // by name
	modules  []module  // by path, the standard library included
	settings map[string]string
}

// A program is one file of the folder.
type program struct {
	name    string
	sha256  string   // hexadecimal
	modules []string // purls of what is linked into it
}

// A module is a Go module, or the standard library as std.
type module struct {
	path    string
	version string
	sha256  string // of the list of its files' checksums, as go.sum has it, but hexadecimal; empty for std
	licence string // as SPDX names it
}

// std is the standard library's name among modules, as the vulnerability
// database of Go has it.
const std = "std"

func (m module) purl() string { return "pkg:golang/" + m.path + "@" + m.version }

// licences are those of every module that a program may be linked with.
// A new dependency needs a line here as it does in docs/dependencies.md.
var licences = map[string]string{
	std:                              "BSD-3-Clause",
	"github.com/colinmarc/cdb":       "MIT",
	"github.com/emersion/go-msgauth": "MIT",
	"golang.org/x/crypto":            "BSD-3-Clause",
	"golang.org/x/net":               "BSD-3-Clause",
	"golang.org/x/sys":               "BSD-3-Clause",
	"golang.org/x/text":              "BSD-3-Clause",
}

// read returns what the programs in a folder say that they are made of: the
// linker writes it into each.
func read(bin string) (*linked, error) {
	entries, err := os.ReadDir(bin)
	if err != nil {
		return nil, err
	}
	l := &linked{settings: make(map[string]string)}
	modules := make(map[string]module)
	for _, e := range entries {
		if err := l.add(filepath.Join(bin, e.Name()), modules); err != nil {
			return nil, err
		}
	}
	if len(l.programs) == 0 {
		return nil, fmt.Errorf("release: no programs in %s", bin)
	}
	l.modules = slices.SortedFunc(maps.Values(modules), func(a, b module) int { return strings.Compare(a.purl(), b.purl()) })
	return l, nil
}

// add adds one program, and its modules under their purls.
func (l *linked) add(file string, modules map[string]module) error {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	p := program{name: filepath.Base(file), sha256: hex.EncodeToString(sum[:])}
	uses := []module{{path: std, version: strings.TrimPrefix(info.GoVersion, "go")}}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return fmt.Errorf("release: %s: %s is replaced by %s", file, d.Path, d.Replace.Path)
		}
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(d.Sum, "h1:"))
		if err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("release: %s: checksum %q of %s", file, d.Sum, d.Path)
		}
		uses = append(uses, module{path: d.Path, version: d.Version, sha256: hex.EncodeToString(sum)})
	}
	for _, m := range uses {
		if m.licence = licences[m.path]; m.licence == "" {
			return fmt.Errorf("release: %s: no licence is known for %s", file, m.path)
		}
		modules[m.purl()] = m
		p.modules = append(p.modules, m.purl())
	}
	for _, s := range info.Settings {
		if was, ok := l.settings[s.Key]; ok && was != s.Value {
			return fmt.Errorf("release: %s is built with %s=%s, others with %s", file, s.Key, s.Value, was)
		}
		l.settings[s.Key] = s.Value
	}
	slices.Sort(p.modules)
	l.programs = append(l.programs, p)
	return nil
}
