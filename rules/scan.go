package rules

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
)

// A SyntaxError is a line that cannot be parsed.
type SyntaxError struct {
	Line int    // 1-based
	Text string // the line without trailing blanks
}

// Error names the line by its number and text.
func (e *SyntaxError) Error() string {
	return "rules: line " + strconv.Itoa(e.Line) + ": unable to parse: " + e.Text
}

// A line is one line as it stands in the text. Its slices are valid until the
// scanner moves on.
type line struct {
	number   int // 1-based
	kind     LineKind
	text     []byte // without trailing blanks
	address  []byte
	deny     bool
	settings []byte // what follows allow or deny, which cutVar takes apart; in a bad line what follows the colon
}

func (l line) bad() error { return &SyntaxError{Line: l.number, Text: string(l.text)} }

// A scanner finds the rules in a text, in the steps of ucspi-tcp 0.88
// tcprules.c.
type scanner struct {
	r      *bufio.Reader
	long   []byte // a line that is longer than r's buffer
	number int
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: bufio.NewReaderSize(r, 64<<10)}
}

// next returns the next line that is a rule. The error is io.EOF after the
// last one, a *SyntaxError, or the reader's.
func (s *scanner) next() (line, error) {
	for {
		switch l, err := s.scan(); {
		case err != nil:
			return line{}, err
		case l.kind == LineRule:
			return l, nil
		case l.kind == LineBad:
			return line{}, l.bad()
		}
	}
}

// scan returns the next line, whatever it is. Of a bad one it has found no
// more than the action. The error is io.EOF after the last one, or the
// reader's.
func (s *scanner) scan() (line, error) {
	text, err := s.read()
	if err != nil {
		return line{}, err
	}
	s.number++
	if text[0] == '#' || text[0] == '\n' {
		return line{number: s.number, kind: LineComment, text: text}, nil
	}
	text = trim(text)
	colon := bytes.IndexByte(text, ':')
	if colon < 0 {
		return line{number: s.number, kind: LineSkipped, text: text}, nil
	}
	l := line{number: s.number, text: text}
	if !l.split(colon) && !l.split(ipv6End(text)) {
		l.kind = LineBad
	}
	return l, nil
}

// split takes what is before a colon for the address, if an instruction
// follows. A colon of -1 is none.
func (l *line) split(colon int) (ok bool) {
	if colon < 0 {
		return false
	}
	l.address = l.text[:colon]
	if l.settings, l.deny = bytes.CutPrefix(l.text[colon+1:], deny); l.deny {
		return true
	}
	l.settings, ok = bytes.CutPrefix(l.settings, allowWord)
	return ok
}

// ipv6End returns where the colon is that ends an IPv6 address, the first one
// with an instruction behind it, or -1.
func ipv6End(text []byte) int {
	end := -1
	for _, instruction := range [...]string{":allow", ":deny"} {
		if i := bytes.Index(text, []byte(instruction)); i >= 0 && (end < 0 || i < end) {
			end = i
		}
	}
	if end < 0 {
		return -1
	}
	if _, _, ok := networkKey(string(text[:end])); !ok {
		return -1
	}
	return end
}

// trim cuts off newlines, blanks and tabs at the end; a carriage return stays,
// and is an error.
func trim(text []byte) []byte {
	for n := len(text); n > 0; n-- {
		if c := text[n-1]; c != '\n' && c != ' ' && c != '\t' {
			return text[:n]
		}
	}
	return nil
}

var deny, allowWord = []byte("deny"), []byte("allow")

// read returns the next line with its newline, which the last one may lack.
func (s *scanner) read() ([]byte, error) {
	text, err := s.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		s.long = s.long[:0]
		for err == bufio.ErrBufferFull {
			s.long = append(s.long, text...)
			text, err = s.r.ReadSlice('\n')
		}
		s.long = append(s.long, text...)
		text = s.long
	}
	if err == io.EOF && len(text) > 0 {
		err = nil
	}
	return text, err
}

// cutVar takes the first variable from settings: a comma, a name up to "=",
// and a value between two of the byte that follows, whatever it is.
func cutVar(settings []byte) (name, value, rest []byte, fault Fault) {
	if settings[0] != ',' {
		return nil, nil, nil, FaultComma
	}
	equals := bytes.IndexByte(settings, '=')
	if equals < 0 {
		return nil, nil, nil, FaultEquals
	}
	if equals+1 == len(settings) {
		return nil, nil, nil, FaultValue
	}
	name, rest = settings[1:equals], settings[equals+2:]
	end := bytes.IndexByte(rest, settings[equals+1]) // the quote
	if end < 0 {
		return nil, nil, nil, FaultQuote
	}
	return name, rest[:end], rest[end+1:], FaultNone
}
