package mailpath

// What becomes of a connection or message: Explanation.Result.
const (
	resultAccepted = "accepted"
	resultDenied   = "denied"  // the connection, by a rule
	resultRefused  = "refused" // a recipient or the message, by the reply
)

// An Explanation is what mailpath found out. It is the object that -j prints:
// docs/mailpath.md describes each field. All text is printable ASCII.
type Explanation struct {
	Result     string      `json:"result"`
	Exit       int         `json:"exit"`
	User       string      `json:"user"`
	Home       string      `json:"home"`
	Connection Connection  `json:"connection"`
	Queue      *Queue      `json:"queue,omitempty"`
	Recipients []Recipient `json:"recipients,omitempty"`
	From       string      `json:"from,omitempty"`
	Signing    *Signing    `json:"signing,omitempty"`
	Verifying  *Verifying  `json:"verifying,omitempty"`
	Reply      string      `json:"reply,omitempty"`
	Faults     []Finding   `json:"faults,omitempty"`
	Notes      []Finding   `json:"notes,omitempty"`
}

// A Connection is what the rules say of a client.
type Connection struct {
	IP          string   `json:"ip"`
	Host        *string  `json:"host,omitempty"`
	Info        *string  `json:"info,omitempty"`
	Rules       string   `json:"rules"`
	Text        string   `json:"text,omitempty"`
	State       string   `json:"state"`
	Tried       []string `json:"tried"`
	Found       bool     `json:"found"`
	Key         string   `json:"key"`
	Line        int      `json:"line,omitempty"`
	Decision    string   `json:"decision"`
	Sets        []string `json:"sets"`
	Environment []string `json:"environment"`
	Inherited   []string `json:"inherited,omitempty"`
	Relay       bool     `json:"relay"`
}

// What the text of the rules is to the database: Connection.State.
const (
	stateSame    = "same"    // it compiles to the database
	stateDiffers = "differs" // it compiles to something else
	stateNoText  = "no-text" // there is none beside the database, or it cannot be read
	stateBadText = "bad-text"
)

// A Program is a file that is to be executed.
type Program struct {
	Path  string `json:"path"`            // as configured
	File  string `json:"file"`            // from the root
	Error string `json:"error,omitempty"` // why it cannot be executed
}

// A Queue is what the message is handed to.
type Queue struct {
	Program
	DKIM    bool      `json:"dkim"` // it is qmail-dkim, and only then there is what follows
	Next    *Program  `json:"next,omitempty"`
	Mode    string    `json:"mode,omitempty"`
	Decided []Setting `json:"decided,omitempty"`
	Key     string    `json:"key,omitempty"`
	Letters string    `json:"letters,omitempty"`
}

// A Setting is a variable by which the mode was decided.
type Setting struct {
	Name  string `json:"name"`
	Set   bool   `json:"set"`
	Value string `json:"value,omitempty"`
}

// A Recipient is one of the command line.
type Recipient struct {
	Address  string `json:"address"`
	Reply    string `json:"reply"`
	Accepted bool   `json:"accepted"`
}

// Signing is what was done to sign a message.
type Signing struct {
	Domain     string      `json:"domain,omitempty"`
	Pattern    string      `json:"pattern,omitempty"`
	KeysLine   string      `json:"dkimkeys,omitempty"`
	Keys       []KeyTry    `json:"keys,omitempty"`
	Reason     string      `json:"reason,omitempty"`
	Recipients []string    `json:"signed_recipients,omitempty"`
	Match      string      `json:"match,omitempty"`
	Signatures []Published `json:"signatures,omitempty"`
	Warnings   []string    `json:"warnings,omitempty"`
	Ignored    []string    `json:"ignored,omitempty"`
}

// A KeyTry is a key file that was tried.
type KeyTry struct {
	Path  string `json:"path"`
	Error string `json:"error,omitempty"`
}

// Published is a signature that would be made, and what is published of its
// key.
type Published struct {
	Domain    string `json:"d"`
	Selector  string `json:"s"`
	Algorithm string `json:"a"`
	Key       string `json:"key"`
	Bits      int    `json:"bits"`
	Name      string `json:"name"`
	State     string `json:"published"`
	Reason    string `json:"reason,omitempty"`
	Record    string `json:"record,omitempty"`
	Testing   bool   `json:"testing,omitempty"`
}

// Verifying is what was made of the signatures of a message.
type Verifying struct {
	Letter     string     `json:"letter"`
	Word       string     `json:"word"`
	Old        string     `json:"old,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Action     string     `json:"action"`
	DryRun     bool       `json:"dry_run,omitempty"`
	Signatures []Verified `json:"signatures,omitempty"`
}

// Verified is a signature that a message has.
type Verified struct {
	Letter    string `json:"letter"`
	Word      string `json:"word"`
	Domain    string `json:"d"`
	Selector  string `json:"s"`
	Algorithm string `json:"a"`
	Reason    string `json:"reason,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Name      string `json:"name"`
	Record    string `json:"record,omitempty"`
	Error     string `json:"error,omitempty"`
}

// A Finding is something to know, and what to do about it.
type Finding struct {
	Text string `json:"text"`
	Mend string `json:"mend,omitempty"`
}

func (e *Explanation) fault(text, mend string) { e.Faults = append(e.Faults, finding(text, mend)) }
func (e *Explanation) note(text, mend string)  { e.Notes = append(e.Notes, finding(text, mend)) }

func finding(text, mend string) Finding {
	return Finding{cleanTo(text, maxFinding), cleanTo(mend, maxFinding)}
}
