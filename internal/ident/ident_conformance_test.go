//go:build conformance

package ident

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ucspi-go/internal/testprog"
)

// replies of the ident server, the last ones without a newline.
var replies = []string{
	"1,2:USERID:UNIX:joe\r\n", " 1 , 2 : USERID : UNIX : j o\te \r\n", "1,2:ERROR:NO-USER\r\n", "1,2:ERROR:NO-USER:x\r\n",
	"\n", "\r\n", ":::\n", "::::a:\n", ":::a\rb\nc\n", ":::\x01\xff%\\'\"\n", ":::a\x00b\n", "::\x00:a\n",
	":::" + strings.Repeat("x", 256) + "\n", ":::" + strings.Repeat("x", 257) + "\n", ":::" + strings.Repeat("x", 258) + "\n",
	":::" + strings.Repeat("x ", 1000) + "\n", strings.Repeat("h", 5000) + ":::a\n", ":::" + strings.Repeat("x", 257),
	"", ":::", ":::joe", "1,2:ERROR", ":::" + strings.Repeat("x", 256),
}

func TestConformanceReply(t *testing.T) {
	tcpclient := testprog.Peer(t, "tcpclient")
	if !testprog.OwnNetwork(t) {
		return
	}
	server, err := net.Listen("tcp", "127.0.0.1:113")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	service, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Close()
	at := service.Addr().(*net.TCPAddr).AddrPort()

	asked := make(chan string, 1)
	serve := func(reply string) {
		c, err := server.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		b := make([]byte, 100)
		n, _ := c.Read(b)
		asked <- string(b[:n])
		io.WriteString(c, reply)
	}
	for _, reply := range replies {
		go serve(reply)
		cmd := exec.Command(tcpclient, "-rHl0", "--", "127.0.0.1", strconv.Itoa(int(at.Port())),
			"sh", "-c", `printf '%s ' "$TCPREMOTEPORT , $TCPLOCALPORT"; printf %s "${TCPREMOTEINFO-unset}"`)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		cAsked := <-asked
		ports, c, _ := cutAfterPorts(string(out))
		if cAsked != ports+"\r\n" {
			t.Errorf("C asks %q for the ports %q", cAsked, ports)
		}

		go serve(reply)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		ours, err := Query(ctx, netip.MustParseAddrPort("127.0.0.1:4711"), at)
		cancel()
		if err != nil {
			ours = "unset"
		}
		if ours != c {
			t.Errorf("reply %.60q: C %q, ours %q, %v", reply, c, ours, err)
		}
		if got, want := <-asked, strings.Fields(cAsked)[0]+" , 4711\r\n"; got != want {
			t.Errorf("we ask %q, want %q", got, want)
		}
	}
}

// cutAfterPorts splits "PORT , PORT INFO".
func cutAfterPorts(s string) (ports, info string, ok bool) {
	words := strings.SplitN(s, " ", 4)
	if len(words) < 4 {
		return s, "", false
	}
	return strings.Join(words[:3], " "), words[3], true
}
