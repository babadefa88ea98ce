package tcpserver

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// exposition is text in Prometheus' exposition format 0.0.4.
type exposition struct {
	text   []byte
	listen string
}

// family begins the samples of a name.
func (e *exposition) family(name, kind, help string) {
	e.text = append(e.text, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

// sample adds a value with the labels, of which there is a name and a value
// each.
func (e *exposition) sample(name string, value []byte, labels ...string) {
	e.text = append(e.text, name+`{listen="`+e.listen...)
	for i := 0; i < len(labels); i += 2 {
		e.text = append(e.text, `",`+labels[i]+`="`+escapeLabel.Replace(labels[i+1])...)
	}
	e.text = append(append(append(e.text, `"} `...), value...), '\n')
}

var escapeLabel = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// single adds a family of one sample.
func (e *exposition) single(name, kind, help string, value uint64) {
	e.family(name, kind, help)
	e.sample(name, decimal(value))
}

// tally adds a family of a sample for each label that was counted.
func (e *exposition) tally(name, help, label string, t tally) {
	e.family(name, "counter", help)
	for _, value := range slices.Sorted(maps.Keys(t)) {
		e.sample(name, decimal(t[value]), label, value)
	}
}

// histogram adds the samples of a histogram of seconds.
func (e *exposition) histogram(name, lookup string, h histogram) {
	total := uint64(0)
	for i, n := range h.classes {
		total += n
		bound := "+Inf"
		if i < len(lookupBounds) {
			bound = string(float(lookupBounds[i].Seconds()))
		}
		e.sample(name+"_bucket", decimal(total), "lookup", lookup, "le", bound)
	}
	e.sample(name+"_sum", float(h.sum.Seconds()), "lookup", lookup)
	e.sample(name+"_count", decimal(total), "lookup", lookup)
}

func decimal(n uint64) []byte { return strconv.AppendUint(nil, n, 10) }

func float(f float64) []byte { return strconv.AppendFloat(nil, f, 'g', -1, 64) }

// text returns the file.
func (c *counters) text() []byte {
	e := exposition{listen: c.listen}
	c.s.table.remember(func(a *account) {
		t := c.s.table
		e.single("tcpserver_start_time_seconds", "gauge", "When the server started, in seconds since 1970.", uint64(c.began.Unix()))
		e.single("tcpserver_connections_running", "gauge", "Connections that are not ended.", t.running)
		e.single("tcpserver_connections_limit", "gauge", "Connections that there may be at the same time.", t.limit)
		e.single("tcpserver_connections_accepted_total", "counter", "Connections accepted, whatever came of them.", a.accepted)
		e.tally("tcpserver_connections_denied_total", "Connections denied, by the key of the rule.", "rule", a.denied)
		e.tally("tcpserver_connections_refused_total", "Connections refused, by the limit that was reached.", "limit", a.refused)
		e.tally("tcpserver_connections_dropped_total", "Connections dropped, by what could not be used.", "reason", a.dropped)
		e.tally("tcpserver_program_exits_total", "Programs that ended, by exit code.", "code", a.exits)
		e.tally("tcpserver_program_kills_total", "Programs that were killed, by signal.", "signal", a.killed)
	})
	const name = "tcpserver_lookup_seconds"
	e.family(name, "histogram", "How long lookups took.")
	c.lookups.mu.Lock()
	defer c.lookups.mu.Unlock()
	e.histogram(name, "ptr", c.lookups.ptr)
	e.histogram(name, "a", c.lookups.a)
	e.histogram(name, "aaaa", c.lookups.aaaa)
	e.histogram(name, "ident", c.lookups.ident)
	e.histogram(name, "rules", c.lookups.ruleset)
	return e.text
}
