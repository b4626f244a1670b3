# make run      installs what is missing, builds, counts the packets of DEVICE
# make test     everything, with the race detector; as root nothing is skipped
# make help     the other targets

PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DEVICE   ?= lo
SECONDS  ?= 10
FUZZTIME ?= 1m

GO       ?= go
SUDO     := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
LDFLAGS  := -X main.version=$(VERSION)

.DEFAULT_GOAL := build
.PHONY: deps test-deps build run test bench fuzz lint gen install help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# Debian packages: what the build links, what the tests measure against.
BUILD_DEPS := gcc libc6-dev libpcap-dev
TEST_DEPS  := tcpdump tshark iproute2

deps: ## install the Debian packages that are missing
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(BUILD_DEPS) $(DEPS) 2>/dev/null | \
	  awk '$$2 == "installed" {have[$$1]} END {n = split("$(BUILD_DEPS) $(DEPS)", p); for (i = 1; i <= n; i++) if (!(p[i] in have)) print p[i]}'); \
	if [ -n "$$missing" ]; then \
	  echo "installing" $$missing; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

test-deps:
	@$(MAKE) --no-print-directory deps DEPS="$(TEST_DEPS)"

build: deps ## bin/mapid and bin/mapi
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/mapid ./cmd/mapid
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o bin/mapi ./cmd/mapi

run: build ## count the packets of DEVICE (default lo) for SECONDS (default 10)
	@etc/demo $(DEVICE) $(SECONDS)

test: build test-deps ## all tests
	$(GO) vet ./...
	$(GO) test -race -timeout 10m ./...

bench: build test-deps ## speed, beside tcpdump
	$(GO) run ./internal/bench

fuzz: build ## each fuzz target for FUZZTIME (default 1m)
	@for pkg in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
	    echo "$$pkg $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

lint: build ## gofmt, vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run honnef.co/go/tools/cmd/staticcheck@latest ./...

gen: ## generated files; they are checked in
	@$(MAKE) --no-print-directory deps DEPS=protobuf-compiler
	GOBIN=$(CURDIR)/bin $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	PATH="$(CURDIR)/bin:$$PATH" $(GO) generate ./...

install: build ## into PREFIX (default /usr/local) below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/etc/mapi
	install -m 755 bin/mapid $(DESTDIR)$(PREFIX)/sbin/mapid
	install -m 755 bin/mapi $(DESTDIR)$(PREFIX)/bin/mapi
	install -m 644 etc/mapi.conf $(DESTDIR)$(PREFIX)/etc/mapi/mapi.conf.example
