module ucspi-go

go 1.26.0

require (
	github.com/colinmarc/cdb v0.0.0-20190223170904-60f317823f70
	github.com/emersion/go-msgauth v0.7.0
	github.com/rogpeppe/go-internal v1.16.0
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.49.0
)

require (
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)

godebug (
	containermaxprocs=0 // with this, no two descriptors are held open
	fips140=off // the frozen module computes without its self-checks: docs/softlimit.md
	updatemaxprocs=0 // nothing wakes up to look at the processors again
)
