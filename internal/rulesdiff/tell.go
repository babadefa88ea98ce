package rulesdiff

import (
	"slices"
	"strconv"
	"strings"

	"ucspi-go/internal/ucspi"
)

// tell returns the line of a change. Alone says that no rule of the two sides
// names an address.
func (c change) tell(alone bool) string {
	word := words[classOf(c.before, c.after)]
	line := word + strings.Repeat(" ", len("relay off ")-len(word)) + c.who(alone)
	if c.more {
		line += ", and more such"
	}
	if d := details(c.before, c.after); d != "" {
		line += ": " + d
	}
	return line + "\n"
}

// who names the clients of a change.
func (c change) who(alone bool) string {
	const most = 3
	switch {
	case c.order == byEverybody && alone:
		return "everybody"
	case c.order == byEverybody:
		return "everybody else"
	case c.order == bySix:
		return c.names[0]
	case c.rest != "":
		return c.rest + " apart from longer rules"
	case c.order == byAddress:
		return notation(c.areas[0][0])
	case c.order == byInfoAtAddress:
		text := ucspi.Escape(*c.info) + "@" + notation(c.areas[0][0])
		if len(c.names) > 0 {
			text += " named " + list(c.names, most)
		}
		return text
	}
	text := c.names[0]
	if c.info != nil {
		text = ucspi.Escape(*c.info) + "@" + text
	}
	if c.everywhere {
		return text
	}
	var all []string
	for _, i := range c.merged() {
		all = append(all, notation(i))
	}
	return text + " at " + list(all, most)
}

// list returns the first few words, and how many more there are.
func list(all []string, most int) string {
	if len(all) <= most+1 {
		return strings.Join(all, ", ")
	}
	return strings.Join(all[:most], ", ") + " and " + strconv.Itoa(len(all)-most) + " more"
}

// notation returns addresses as the address of a rule, where one rule can say
// it.
func notation(i interval) string {
	numbers := 4 // that are not the whole range from 0 to 255
	for numbers > 0 {
		shift := 8 * (4 - numbers)
		if byte(i.low>>shift) != 0 || byte(i.high>>shift) != 255 {
			break
		}
		numbers--
	}
	if numbers == 0 {
		return "everybody"
	}
	shift := 8 * (4 - numbers)
	if i.low>>shift>>8 != i.high>>shift>>8 {
		return dotted(i.low, 4) + " to " + dotted(i.high, 4)
	}
	text := dotted(i.low, numbers)
	if low, high := byte(i.low>>shift), byte(i.high>>shift); low != high {
		text += "-" + strconv.Itoa(int(high))
	}
	if numbers < 4 {
		text += "."
	}
	return text
}

// dotted returns the first numbers of an address.
func dotted(address uint32, numbers int) string {
	var all []string
	for n := range numbers {
		all = append(all, strconv.Itoa(int(byte(address>>(24-8*n)))))
	}
	return strings.Join(all, ".")
}

// merged returns the addresses of a change in order.
func (c change) merged() []interval {
	if len(c.areas) == 1 {
		return c.areas[0]
	}
	all := slices.Concat(c.areas...)
	slices.SortFunc(all, func(a, b interval) int { return compareInterval(a, b.low) })
	return merge(all)
}
