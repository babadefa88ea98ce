# ucspi-go: needs Go and make, nothing else.
GO ?= go
PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=
FUZZTIME ?= 30s
BIN ?= bin
# The entry point lets the programs start under softlimit: docs/softlimit.md.
ENTRY = $(if $(filter amd64 arm64,$(shell $(GO) env GOARCH 2>/dev/null)),-E ucspi-go/internal/inherit.start)
BUILD = CGO_ENABLED=0 GOFIPS140=v1.0.0 $(GO) build $(INSTRUMENTS) -trimpath -ldflags '-s -w $(ENTRY)'
# cmd/whoat is who@, and so on: "@" is not allowed in import paths.
AT = who date finger http
PLAIN = $(filter-out $(AT:%=./cmd/%at),$(patsubst %/main.go,%,$(wildcard ./cmd/*/main.go)))
# Tests run the programs that "make" built, not copies of their own.
TEST = UCSPI_GO_BIN=$(abspath $(BIN)) $(GO) test -count=1

.PHONY: all demo run test check lint cover race conformance soak fuzz bench golden install package clean

all:
	@command -v $(GO) >/dev/null || { echo "make: no Go: install Go 1.26 or later (https://go.dev/dl) or set GO=" >&2; exit 1; }
	$(BUILD) -o $(BIN)/ $(PLAIN)
	@for p in $(AT); do $(BUILD) -o $(BIN)/$$p@ ./cmd/$${p}at || exit 1; done

# The main job on loopback, from a line of tcp.smtp to a signed message; ends by itself.
demo: all
	$(GO) run ./internal/demo -b $(BIN)

# The same set-up, serving on LISTEN until interrupted. Where its mail ends:
# SINK=queue, SINK=maildir, or SINK=smarthost SMARTHOST=host:port.
SINK ?= queue
LISTEN ?= 127.0.0.1:2525
run: all
	$(GO) run ./internal/demo -b $(BIN) -s '$(LISTEN)' -k '$(SINK)' $(if $(SMARTHOST),-r '$(SMARTHOST)')

test: all check
	$(TEST) -shuffle=on ./...

check:
	@fmt=$$(gofmt -l cmd internal qmaildkim rules tcprules tcpserver); [ -z "$$fmt" ] || { echo "gofmt would change: $$fmt" >&2; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags conformance,soak ./...

# Asked of no clone that lacks the tools. golangci-lint takes minutes to build:
# .ci/run does without it, and installs staticcheck.
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
lint:
	@if command -v staticcheck >/dev/null; then staticcheck ./... && staticcheck -tags conformance,soak ./...; \
		else echo "lint: missing staticcheck: $(GO) install $(STATICCHECK)"; fi
	@if command -v golangci-lint >/dev/null; then golangci-lint run ./...; \
		else echo "lint: missing golangci-lint: $(GO) install $(GOLANGCI_LINT)"; fi

race: all
	UCSPI_GO_BIN=$(abspath $(BIN)) CGO_ENABLED=1 $(GO) test -count=1 -race -shuffle=on ./...

# How much of these packages tests reach, in the programs that they start as
# well, but for those that are killed. The instruments need a descriptor and a
# variable, so that tests of what a program does without fail here.
COVERED = rules tcprules tcpserver qmaildkim qmaildkim/keys
none =
comma = ,
cover: PATTERN = $(subst $(none) $(none),$(comma),$(COVERED:%=./%))
cover:
	@set -e; tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; mkdir "$$tmp/data"; \
	$(MAKE) all BIN="$$tmp/bin" INSTRUMENTS='-cover -coverpkg=./cmd/...,$(PATTERN)' >/dev/null 2>&1; \
	UCSPI_GO_BIN="$$tmp/bin" $(GO) test -count=1 -exec "env GOCOVERDIR=$$tmp/data" -coverpkg=$(PATTERN) $(COVERED:%=./%) \
		-args -test.gocoverdir="$$tmp/data" | grep -aE '^ *(FAIL|--- FAIL)' || true; \
	$(GO) tool covdata percent -i="$$tmp/data" -pkg=$(subst $(none) $(none),$(comma),$(COVERED:%=ucspi-go/%))

# Side by side with the C programs and other DKIM implementations. Installs
# nothing: what is missing is named, and its cases are skipped, or fail with
# CONFORMANCE=strict.
conformance: all
	@for p in tcpserver:ucspi-tcp dkimverify:python3-dkim opendkim-testkey:opendkim-tools strace:strace unshare:util-linux ip:iproute2 \
		softlimit:daemontools qemu-aarch64-static:qemu-user-static exim4:exim4-daemon-light swaks:swaks msmtp:msmtp \
		named:bind9 nsupdate:bind9-dnsutils nsd:nsd tinydns:tinydns axfrdns:axfrdns haproxy:haproxy mandoc:mandoc lintian:lintian \
		dpkg-deb:dpkg xz:xz-utils git:git s6-supervise:s6 runsv:runit systemd-socket-activate:systemd; do \
		command -v $${p%%:*} >/dev/null || echo "conformance: missing $${p%%:*} (Debian package $${p##*:})"; done
	@[ -x "$$UCSPI_TCP_IPV6/usr/bin/tcpserver" ] || echo "conformance: missing ucspi-tcp-ipv6 (apt-get download, dpkg -x into the folder UCSPI_TCP_IPV6)"
	@[ -f "$$DEBIAN_ROOT/root.tar" ] || echo "conformance: missing a Debian to install the package into: .ci/run makes the folder DEBIAN_ROOT"
	@/usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || echo "conformance: missing prometheus_client (Debian package python3-prometheus-client)"
	@perl -MMail::DKIM -e1 2>/dev/null || echo "conformance: missing Mail::DKIM (Debian package libmail-dkim-perl)"
	$(TEST) -tags conformance -timeout 15m -v -run '^TestConformance' ./...

# 20,000 messages, or SOAK=n, through the whole path while its processes are
# killed, twice: some five minutes on two cores.
soak: all
	$(TEST) -tags soak -timeout 30m -v -run '^TestSoak$$' ./internal/site

fuzz:
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
		done; \
	done

# Benchmarks of the packages, then whole programs against the C ones installed here.
bench: all
	$(GO) test -run '^$$' -bench . ./...
	$(GO) run ./internal/bench -b $(BIN)

# Remakes the golden files with the C programs.
golden:
	$(GO) generate ./...

install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BIN)/* $(DESTDIR)$(PREFIX)/bin
	@for page in man/*.[1-8]; do section=$(DESTDIR)$(MANDIR)/man$${page##*.}; \
		install -d $$section && install -m 644 $$page $$section || exit 1; done

# Packages for Debian, tarballs, their bills of materials and checksums, in some
# minutes: xz. What may be set is told in internal/release/package.
package:
	GO='$(GO)' internal/release/package dist

clean:
	rm -rf $(BIN) dist
