package tcpserver_test

import (
	"path/filepath"
	"testing"

	"ucspi-go/rules"
	"ucspi-go/tcpserver"
)

// What tcpserver -RHl0 -x does to decide about a connection.
func BenchmarkAdmit(b *testing.B) {
	name := filepath.Join(b.TempDir(), "rules.cdb")
	if err := replace(name, "10.:allow,RELAYCLIENT=\"\",QMAILQUEUE=\"bin/qmail-dkim\"\n:allow\n"); err != nil {
		b.Fatal(err)
	}
	local := "0"
	db := rules.NewLive(name)
	defer db.Close()
	s := &tcpserver.Server{Config: tcpserver.Config{LocalHost: &local}, Environ: rules.Environ{"PATH=/usr/bin", "A=b"}, Rules: db.Lookup}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Admit(b.Context(), conn); err != nil {
			b.Fatal(err)
		}
	}
}
