package manual

import (
	"maps"
	"regexp"
)

// reach returns what a program can call, as one function. It does not go into
// prog.Main, which prepares what a program may call.
func (s *source) reach(program string) *function {
	all := newFunction(program)
	linked := map[string]bool{}
	var link func(pkg string)
	link = func(pkg string) {
		if imports, ok := s.imports[pkg]; ok && !linked[pkg] {
			linked[pkg] = true
			for _, p := range imports {
				link(p)
			}
		}
	}
	link(s.functions[s.mains[program]].pkg)
	byMethod := make(map[string][]string)
	for name, f := range s.functions {
		if m := method.FindStringSubmatch(name); m != nil && linked[f.pkg] {
			byMethod[m[1]] = append(byMethod[m[1]], name)
		}
	}
	seen := map[string]bool{"ucspi-go/internal/prog.Main": true}
	var visit func(name string)
	visit = func(name string) {
		f := s.functions[name]
		if f == nil || seen[name] {
			return
		}
		seen[name] = true
		maps.Copy(all.reads, f.reads)
		maps.Copy(all.sets, f.sets)
		maps.Copy(all.exits, f.exits)
		maps.Copy(all.codes, f.codes)
		all.operands = max(all.operands, f.operands)
		all.isQueue = all.isQueue || f.isQueue
		for use := range f.uses {
			visit(use)
		}
		for m := range f.methods {
			for _, use := range byMethod[m] {
				visit(use)
			}
		}
	}
	visit(s.mains[program])
	if all.isQueue {
		maps.Copy(all.exits, all.codes)
	}
	delete(all.exits, "0") // is no error
	return all
}

// method is the full name of one.
var method = regexp.MustCompile(`\)\.(\w+)$`)
