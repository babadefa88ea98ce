package rulesdiff

import (
	"slices"
	"strings"

	"ucspi-go/rules"
)

// A nameGroup is the rules for names with which a side does one thing.
type nameGroup struct {
	effect *effect
	kind   rules.Kind
	names  []string // in order
}

// groupNames notes what the side does by name.
func (s *side) groupNames(subjects map[subject][]string, of func(subject) state) {
	all := make(map[state][]string)
	for subject, names := range subjects {
		if st := of(subject); st.effect != nil {
			all[st] = append(all[st], names...)
		}
	}
	s.groups = nil
	for st, names := range all {
		s.groups = append(s.groups, nameGroup{st.effect, st.kind, names})
	}
	sortGroups(s.groups)
	s.infoGroups = make(map[string][]nameGroup)
	for info, names := range s.infoNames {
		all := make(map[*effect][]string)
		for _, name := range names {
			e := s.infos[infoKey{info, name}]
			all[e] = append(all[e], name)
		}
		for e, names := range all {
			s.infoGroups[info] = append(s.infoGroups[info], nameGroup{e, rules.InfoAtName, names})
		}
		sortGroups(s.infoGroups[info])
	}
}

func sortGroups(groups []nameGroup) {
	for _, g := range groups {
		slices.Sort(g.names)
	}
	slices.SortFunc(groups, func(a, b nameGroup) int { return strings.Compare(a.names[0], b.names[0]) })
}

// named yields the names for which the side does something else with clients
// of that remote info than by their address, by what it does.
func (s *side) named(info string, byAddress state, yield func(e *effect, names []string) (enough bool)) {
	for _, g := range s.groups {
		if g.kind >= byAddress.kind || g.effect == byAddress.effect {
			continue
		}
		if names := s.without(info, g.names); len(names) > 0 && yield(g.effect, names) {
			return
		}
	}
	for _, g := range s.infoGroups[info] {
		if g.effect != byAddress.effect && yield(g.effect, g.names) {
			return
		}
	}
}

// without returns the names for which there is no rule with that remote info.
func (s *side) without(info string, names []string) []string {
	if len(s.infoNames[info]) == 0 {
		return names
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return s.infos[infoKey{info, name}] != nil })
}
