package rules

// A Client is what is known of the remote side. Host and Info are nil when
// unknown; an empty string is a known, empty name and is searched.
type Client struct {
	IP         string // text, because the search shortens it at its dots
	Host, Info *string
}

// A Decision is the answer for one client.
type Decision struct {
	Key   string // record that matched
	Found bool   // false: no record, allow with no changes
	Deny  bool
	Env   []Var    // in rule order; later wins
	Data  string   // the record as it is in the database, of which Deny and Env are the sense
	Tried []string // every key asked, in order, the match last
}

// Apply returns e with the variables of the decision set, later ones winning.
// They override what e holds. E is unchanged.
func (d Decision) Apply(e Environ) Environ { return e.With(d.Env...) }
