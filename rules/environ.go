package rules

import "strings"

// A Var is one environment setting.
type Var struct{ Name, Value string }

// String returns the setting as NAME=VALUE.
func (v Var) String() string { return v.Name + "=" + v.Value }

// Environ is an environment: settings of the form NAME=VALUE, each name with
// its presence, so that set-but-empty is not unset. It is the only interface
// between tcpserver, which applies a Decision to it, and qmail-dkim, which
// reads its configuration from it. The zero value is an empty environment.
type Environ []string

// Lookup returns the value of name and whether it is set. Of several copies
// the first counts, as getenv.
func (e Environ) Lookup(name string) (value string, set bool) {
	for _, s := range e {
		if names(s, name) {
			return s[len(name)+1:], true
		}
	}
	return "", false
}

// Strings returns the settings in the form that execve takes. The caller must
// not change them.
func (e Environ) Strings() []string { return e }

// With returns an environment in which vars are set in order, each replacing
// every copy of its name. E is unchanged.
func (e Environ) With(vars ...Var) Environ {
	out := make(Environ, 0, len(e)+len(vars))
	for _, s := range e {
		if !setsAny(s, vars) {
			out = append(out, s)
		}
	}
	for i, v := range vars {
		if !setsAny(v.String(), vars[i+1:]) {
			out = append(out, v.String())
		}
	}
	return out
}

// Without returns an environment in which no copy of the names is left. E is
// unchanged.
func (e Environ) Without(unset ...string) Environ {
	out := make(Environ, 0, len(e))
next:
	for _, s := range e {
		for _, name := range unset {
			if names(s, name) {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// names reports whether the setting s is one of name.
func names(s, name string) bool {
	return len(s) > len(name) && s[len(name)] == '=' && strings.HasPrefix(s, name)
}

func setsAny(s string, vars []Var) bool {
	for _, v := range vars {
		if names(s, v.Name) {
			return true
		}
	}
	return false
}
