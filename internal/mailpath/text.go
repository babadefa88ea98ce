package mailpath

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ucspi-go/internal/prog"
	"ucspi-go/rules"
)

// A text is that of the rules, from the file beside the database.
type text struct {
	name  string // empty when there is none
	mtime time.Time
	set   *rules.Set // nil when it cannot be parsed, as err says
	err   error
}

// readText reads the text beside the database: tcp.smtp for tcp.smtp.cdb.
func (x *explainer) readText() {
	name, ok := strings.CutSuffix(x.rules, ".cdb")
	if !ok {
		return
	}
	st, err := os.Stat(name)
	if err != nil || !st.Mode().IsRegular() {
		return
	}
	data, err := prog.ReadFile(name)
	if err != nil {
		return
	}
	x.text = text{name: name, mtime: st.ModTime()}
	x.text.set, x.text.err = rules.Parse(bytes.NewReader(data))
}

// source says where the decision stands in the text, and whether the text
// still is what the database was made of. The error is that of reading the
// database.
func (x *explainer) source(db *rules.DB, d rules.Decision) error {
	c := &x.Connection
	c.Text, c.State = clean(x.text.name), stateNoText
	if x.text.name == "" {
		return nil
	}
	if x.text.err != nil {
		c.State = stateBadText
		x.fault(x.text.name+" cannot be compiled: "+x.text.err.Error(), "mend that line, and run tcprules: until then the old rules are in force")
		return nil
	}
	compiled, err := x.text.set.DB()
	if err != nil {
		return prog.Fatal(111, "unable to compile "+x.text.name, err)
	}
	same, err := db.Equal(compiled)
	if err != nil {
		return prog.Fatal(111, "unable to read "+x.rules, err)
	}
	older := false
	if st, err := os.Stat(x.rules); err == nil {
		older = st.ModTime().Before(x.text.mtime)
	}
	if same {
		c.State = stateSame
		if older {
			x.note(x.rules+" is older than "+x.text.name+", but has the same rules", "")
		}
		if sources := x.text.set.Sources(d.Key); d.Found && len(sources) > 0 {
			c.Line = sources[0].Line
			x.noteUnused(sources)
		}
		return nil
	}
	c.State = stateDiffers
	return x.stale(compiled, d, older)
}

// stale says that the text compiles to something else, and what that would
// mean to this client.
func (x *explainer) stale(compiled *rules.DB, d rules.Decision, older bool) error {
	is := " does not have the rules of "
	if older {
		is = " is older than, and does not have the rules of, "
	}
	now, err := compiled.Lookup(rules.Client{IP: x.Connection.IP, Host: x.host, Info: x.info})
	if err != nil {
		return prog.Fatal(111, "unable to compile "+x.text.name, err)
	}
	effect := "; for this client they say the same"
	if now.Deny != d.Deny || !slices.Equal(now.Apply(nil), d.Apply(nil)) {
		effect = "; by the text this client would have " + x.where(now.Key, now.Found) + ": " + describe(now)
	}
	x.fault(x.rules+is+x.text.name+effect,
		"tcprules "+x.rules+" "+x.text.name+".tmp < "+x.text.name)
	return nil
}

// where names the rule of a key.
func (x *explainer) where(key string, found bool) string {
	if !found {
		return "no rule"
	}
	if sources := x.text.set.Sources(key); len(sources) > 0 {
		return x.at(sources[0])
	}
	return "rule " + rules.AddressOf(key)
}

func (x *explainer) at(r rules.Rule) string { return x.text.name + ":" + strconv.Itoa(r.Line) }

// describe returns a decision as it stands in a rule.
func describe(d rules.Decision) string {
	s := decisionAllow
	if d.Deny {
		s = decisionDeny
	}
	for _, v := range d.Env {
		s += "," + v.Name + `="` + v.Value + `"`
	}
	return s
}

// noteUnused says which rules for the same address are never used. One that is
// a part of a range is an exception from it.
func (x *explainer) noteUnused(sources []rules.Rule) {
	first := sources[0]
	for _, r := range sources[1:] {
		if r.Address != first.Address {
			continue
		}
		if r.Deny != first.Deny || !slices.Equal(r.Env, first.Env) {
			x.fault(x.at(r)+" has the same address as line "+strconv.Itoa(first.Line)+", which comes first, and is never used",
				"leave one of the two")
		}
	}
}
