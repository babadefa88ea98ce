package smtpsink

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Script says how a Sink answers; the zero Script is a good server that
// offers nothing.
type Script struct {
	answers map[string][]string // by event, in order; the last one stays
	last    int                 // code of the answer given last
}

// Answers that are none.
const (
	closing = "close" // the connection is closed
	hanging = "hang"  // there is no answer
)

// ParseScript reads a script: lines EVENT ANSWER. Events are "connect",
// verbs in upper case, "." for the end of a message, "handshake", whose
// answer is "close". Several lines for one event are for the first, second
// ... of its kind in each session, the last of them for the rest. An answer
// is a reply, of which "\n" in the text starts a further line with CR LF; or
// a Go string literal in double quotes, sent as it is, with which "close" may
// follow; or "close", or "hang", for no answer ever. Empty lines do not count.
func ParseScript(text string) (Script, error) {
	s := Script{answers: map[string][]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		event, answer, found := strings.Cut(line, " ")
		answer = strings.TrimSpace(answer)
		if !found || answer == "" {
			return Script{}, errScript
		}
		if answer[0] == '"' {
			literal, last := strings.CutSuffix(answer, " "+closing)
			raw, err := strconv.Unquote(literal)
			if err != nil {
				return Script{}, errScript
			}
			if answer = raw; last {
				answer += closing
			}
		} else if answer != closing && answer != hanging {
			answer = reply(answer)
		}
		s.answers[event] = append(s.answers[event], answer)
	}
	return s, nil
}

func reply(text string) string { return strings.ReplaceAll(text, `\n`, "\r\n") + "\r\n" }

// copy returns a script that is at its beginning, for one session.
func (s Script) copy() Script { return Script{answers: maps.Clone(s.answers)} }

// next returns the answer to an event, and false when there is none.
func (s *Script) next(event, otherwise string) (answer string, known bool) {
	answers := s.answers[event]
	switch {
	case len(answers) > 0:
		answer = answers[0]
		if len(answers) > 1 {
			s.answers[event] = slices.Clone(answers[1:])
		}
	case otherwise == "":
		return "", false
	default:
		answer = reply(otherwise)
	}
	s.last, _ = strconv.Atoi(answer[:min(3, len(answer))])
	return answer, true
}
