# make run      installs what is missing, builds, counts the packets of DEVICE
# make test     everything, with the race detector; as root nothing is skipped
# make help     the other targets

PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DEVICE   ?= lo
SECONDS  ?= 10
FUZZTIME ?= 1m

# Where the configuration is installed, and looked for first.
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)

GO       ?= go
# What runs a command as root; empty when nothing can.
AS_ROOT  := $(shell [ "$$(id -u)" = 0 ] && echo env || command -v sudo)
LDFLAGS  := -X main.version=$(VERSION) -X gomapi/internal/config.sysconfdir=$(SYSCONFDIR)

# Fixed, so that a change is judged by what it changes.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := build
.PHONY: deps test-deps go seconds build libmapi run test bench fuzz lint gen module install install-libmapi help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# Debian packages: what the build links and filters look names up in, what the
# tests measure against. libhs is Hyperscan, and Vectorscan on processors that
# it does not run on; one takes the other's place. Vectorscan 5.4.9 misses strings, which
# mapid notices: it then searches with an automaton of its own, which is slower.
BUILD_DEPS := gcc libc6-dev libpcap-dev netbase pkgconf
BUILD_DEPS += $(shell pkg-config --exists libhs 2>/dev/null || echo $(if $(filter x86_64,$(shell uname -m)),libhyperscan-dev,libvectorscan-dev))
TEST_DEPS  := g++ tcpdump tshark iproute2 ethtool valgrind

deps: ## install the Debian packages that are missing
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(BUILD_DEPS) $(DEPS) 2>/dev/null | \
	  awk '$$2 == "installed" {have[$$1]} END {n = split("$(BUILD_DEPS) $(DEPS)", p); for (i = 1; i <= n; i++) if (!(p[i] in have)) print p[i]}'); \
	if [ -n "$$missing" ]; then \
	  if [ -z "$(AS_ROOT)" ]; then \
	    echo "missing packages; as root: apt-get install" $$missing >&2; exit 1; \
	  fi; \
	  echo "installing" $$missing; \
	  $(AS_ROOT) apt-get update -qq && \
	  $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

test-deps:
	@$(MAKE) --no-print-directory deps DEPS="$(TEST_DEPS)"

go:
	@command -v $(GO) >/dev/null || { echo "no Go: install Go 1.26 or later from https://go.dev/dl and put its bin into PATH" >&2; exit 1; }

build: go deps ## bin/mapid and bin/mapi
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/mapid ./cmd/mapid
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o bin/mapi ./cmd/mapi

# The C library is two: libmapi.so, in C, loads libmapi-go.so (docs/libmapi.md).
LIBMAPI_OUT    ?= bin
LIBMAPI_MAJOR  := 2
LIBMAPI_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fexceptions -Icmd/libmapi/include -Icmd/libmapi/lib
CFLAGS         ?= -O2 -g

libmapi: go deps ## bin/libmapi.so and bin/libmapi-go.so, for C programs
	$(GO) build -buildmode=c-shared -o $(LIBMAPI_OUT)/libmapi-go.so ./cmd/libmapi
	@rm -f $(LIBMAPI_OUT)/libmapi-go.h
	$(CC) $(LIBMAPI_CFLAGS) $(CFLAGS) -shared -Wl,-soname,libmapi.so.$(LIBMAPI_MAJOR) -Wl,--no-undefined -Wl,-z,nodelete,-z,now \
	  -o $(LIBMAPI_OUT)/libmapi.so.$(LIBMAPI_MAJOR) cmd/libmapi/lib/*.c $(LDLIBS) -ldl -lpthread
	ln -sf libmapi.so.$(LIBMAPI_MAJOR) $(LIBMAPI_OUT)/libmapi.so

seconds:
	@case "$(SECONDS)" in \
	  ''|*[!0-9]*) ;; \
	  *[1-9]*) exit 0;; \
	esac; echo "SECONDS=$(SECONDS) is not a whole number from 1" >&2; exit 1

run: seconds build ## count the packets of DEVICE (default lo) for SECONDS (default 10)
	@etc/demo $(DEVICE) $(SECONDS)

test: build test-deps ## all tests
	$(GO) vet ./...
	$(GO) test -race -timeout 10m ./...

bench: build test-deps ## speed, beside tcpdump and libpcap; OUT=FILE keeps the report, ONLY=PARTS
	$(GO) run ./internal/bench $(if $(OUT),-o $(OUT)) $(if $(ONLY),-only $(ONLY))

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
	$(GO) run $(STATICCHECK) ./...

gen: go ## generated files; they are checked in
	@$(MAKE) --no-print-directory deps DEPS=protobuf-compiler
	GOBIN=$(CURDIR)/bin $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	PATH="$(CURDIR)/bin:$$PATH" $(GO) generate ./...

module: go ## another import path, MODULE=host/path, for who publishes the module
	@etc/module '$(MODULE)'

install: build install-libmapi ## into PREFIX (default /usr/local) and SYSCONFDIR, below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(SYSCONFDIR)/mapi
	install -m 755 bin/mapid $(DESTDIR)$(PREFIX)/sbin/mapid
	install -m 755 bin/mapi $(DESTDIR)$(PREFIX)/bin/mapi
	ln -sf mapi $(DESTDIR)$(PREFIX)/bin/mapiinfo
	ln -sf mapi $(DESTDIR)$(PREFIX)/bin/mapidump
	install -m 644 etc/mapi.conf $(DESTDIR)$(SYSCONFDIR)/mapi/mapi.conf.example

LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include

install-libmapi: libmapi
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/mapi
	install -m 755 $(LIBMAPI_OUT)/libmapi.so.$(LIBMAPI_MAJOR) $(DESTDIR)$(LIBDIR)/libmapi.so.$(LIBMAPI_MAJOR)
	install -m 755 $(LIBMAPI_OUT)/libmapi-go.so $(DESTDIR)$(LIBDIR)/libmapi-go.so
	ln -sf libmapi.so.$(LIBMAPI_MAJOR) $(DESTDIR)$(LIBDIR)/libmapi.so
	install -m 644 cmd/libmapi/include/*.h $(DESTDIR)$(INCLUDEDIR)
	install -m 644 cmd/libmapi/include/mapi/*.h $(DESTDIR)$(INCLUDEDIR)/mapi
	sed -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(LIBDIR)|' -e 's|@includedir@|$(INCLUDEDIR)|' \
	  -e 's|@version@|$(LIBMAPI_MAJOR)|' cmd/libmapi/mapi.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/mapi.pc
