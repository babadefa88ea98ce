package pages

import (
	"os/exec"
	"regexp"
	"strings"

	"ucspi-go/internal/testprog"
)

// follow runs examples of a page in this order, and compares what each command
// prints with what stands behind it. In an example
//
//	$ command          runs as it is
//	> more of it
//
// and one that begins with tcpserver is a server, which runs until the
// examples are over or another server begins; what stands behind it is its log.
func (h *host) follow(page *testprog.Page, names ...string) {
	h.t.Helper()
	for _, name := range names {
		text := page.Example(h.t, name)
		command, _, _ := strings.Cut(strings.TrimPrefix(text, "$ "), "\n")
		if strings.HasPrefix(command, "tcpserver ") {
			h.stop(page)
			h.serve(name, command)
			continue
		}
		page.ExpectLike(h.t, name, h.transcript(text))
	}
	h.stop(page)
}

// transcript returns the commands of an example with what they print.
func (h *host) transcript(text string) string {
	h.t.Helper()
	var got strings.Builder
	var command string
	run := func() {
		if command != "" {
			got.WriteString(h.run(command))
			command = ""
		}
	}
	for line := range strings.Lines(text) {
		words := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(words, "$ "):
			run()
			command = words[2:]
		case strings.HasPrefix(words, "> ") && command != "":
			command += "\n" + words[2:]
		default:
			continue
		}
		got.WriteString(line)
	}
	run()
	return got.String()
}

// serve starts the server of an example.
func (h *host) serve(name, command string) {
	h.t.Helper()
	cmd := exec.Command("sh", "-c", "exec tcpserver -1 "+h.command(strings.TrimPrefix(command, "tcpserver ")))
	cmd.Dir, cmd.Env = h.top+"/home", h.environ()
	s, err := testprog.StartServer(cmd)
	must(h.t, err)
	h.t.Cleanup(s.Kill)
	h.server, h.serves, h.port = s, name, s.Port
}

// lasting are the lines with which a connection ends.
var lasting = regexp.MustCompile(`(?m)^tcpserver: (end|status:) `)

// shownPort is that of a server as its page has it.
var shownPort = regexp.MustCompile(` 0 (\d+) `)

// stop compares the server's log, once all connections that the page shows
// have ended, and ends it.
func (h *host) stop(page *testprog.Page) {
	h.t.Helper()
	if h.server == nil {
		return
	}
	if h.serves == "" { // no page shows it
		_, err := h.server.Stop()
		must(h.t, err)
		h.server = nil
		return
	}
	text := page.Example(h.t, h.serves)
	must(h.t, h.server.WaitLog(lasting.String(), len(lasting.FindAllString(text, -1))))
	log, err := h.server.Stop()
	must(h.t, err)
	command, _, _ := strings.Cut(text, "\n")
	log = strings.NewReplacer(h.top, "", ":"+h.server.Port+" ", ":"+shownPort.FindStringSubmatch(command)[1]+" ").Replace(log)
	page.ExpectLike(h.t, h.serves, command+"\n"+log)
	h.server = nil
}
