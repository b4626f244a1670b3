# make          build; installs missing Debian packages
# make run      build, then count the packets of DEVICE
# make test     run all tests with the race detector; as root none is skipped
# make help     list all targets

PREFIX   ?= /usr/local
DESTDIR  ?=
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
DEVICE   ?= lo
SECONDS  ?= 10
FUZZTIME ?= 1m
MINUTES  ?= 60

# Directory of the configuration: "make install" writes to it, mapid looks there first.
SYSCONFDIR ?= $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)

GO       ?= go
# Prefix to run a command as root; empty if there is none.
AS_ROOT  := $(shell [ "$$(id -u)" = 0 ] && echo env || command -v sudo)
LDFLAGS  := -X main.version=$(VERSION) -X gomapi/internal/config.sysconfdir=$(SYSCONFDIR)

# A fixed version, so that new findings come from changes of the code only.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := build
.PHONY: deps test-deps go seconds build libmapi run test bench soak fuzz lint arm64 gen api module install install-libmapi help

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# Debian packages: libraries that the build links, netbase for the names of services in
# filters, and programs that the tests compare with. libhs is Hyperscan, or Vectorscan
# on processors that Hyperscan does not support; either one serves. Vectorscan 5.4.9 misses
# some strings. mapid detects this and uses its own automaton, which is slower.
BUILD_DEPS := gcc libc6-dev libpcap-dev netbase pkgconf
BUILD_DEPS += $(shell pkg-config --exists libhs 2>/dev/null || echo $(if $(filter x86_64,$(shell uname -m)),libhyperscan-dev,libvectorscan-dev))
TEST_DEPS  := g++ tcpdump tshark iproute2 ethtool valgrind

deps: ## install missing Debian packages
	@missing=$$(dpkg-query -W -f '$${Package} $${db:Status-Status}\n' $(BUILD_DEPS) $(DEPS) 2>/dev/null | \
	  awk '$$2 == "installed" {have[$$1]} END {n = split("$(BUILD_DEPS) $(DEPS)", p); for (i = 1; i <= n; i++) if (!(p[i] in have)) print p[i]}'); \
	if [ -n "$$missing" ]; then \
	  if [ -z "$(AS_ROOT)" ]; then \
	    echo "missing packages: run as root: apt-get install" $$missing >&2; exit 1; \
	  fi; \
	  echo "installing" $$missing; \
	  $(AS_ROOT) apt-get update -qq && \
	  $(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

test-deps:
	@$(MAKE) --no-print-directory deps DEPS="$(TEST_DEPS)"

go:
	@command -v $(GO) >/dev/null || { echo "no Go: install Go 1.26 or later from https://go.dev/dl and put its bin into PATH" >&2; exit 1; }

build: go deps ## build bin/mapid and bin/mapi (default)
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/mapid ./cmd/mapid
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o bin/mapi ./cmd/mapi

# The C library has two parts: libmapi.so, in C, loads libmapi-go.so (docs/libmapi.md).
LIBMAPI_OUT    ?= bin
LIBMAPI_MAJOR  := 2
LIBMAPI_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fexceptions -Icmd/libmapi/include -Icmd/libmapi/lib
CFLAGS         ?= -O2 -g

# The go command does not see that headers beside a package have changed: their sum is
# part of what it compiles with, as the name of a folder that is not there.
LIBMAPI_SUM     = $(shell cat cmd/libmapi/lib/*.h cmd/libmapi/include/*.h | cksum | cut -d' ' -f1)

libmapi: go deps ## build bin/libmapi.so and bin/libmapi-go.so, for C programs
	$(GO) build -buildmode=c-shared -gcflags=gomapi/cmd/libmapi=-I=$(LIBMAPI_SUM) -o $(LIBMAPI_OUT)/libmapi-go.so ./cmd/libmapi
	@rm -f $(LIBMAPI_OUT)/libmapi-go.h
	$(CC) $(LIBMAPI_CFLAGS) $(CFLAGS) -shared -Wl,-soname,libmapi.so.$(LIBMAPI_MAJOR) -Wl,--no-undefined -Wl,-z,nodelete,-z,now \
	  -o $(LIBMAPI_OUT)/libmapi.so.$(LIBMAPI_MAJOR) cmd/libmapi/lib/*.c $(LDLIBS) -ldl -lpthread
	ln -sf libmapi.so.$(LIBMAPI_MAJOR) $(LIBMAPI_OUT)/libmapi.so

seconds:
	@case "$(SECONDS)" in \
	  ''|*[!0-9]*) ;; \
	  *[1-9]*) exit 0;; \
	esac; echo "SECONDS=$(SECONDS) is not a whole number of at least 1" >&2; exit 1

run: seconds build ## count the packets of DEVICE (default lo) for SECONDS (default 10)
	@etc/demo $(DEVICE) $(SECONDS)

# By default a program with the race detector sleeps for a second before it ends.
test: build test-deps ## run all tests
	$(GO) vet ./...
	GORACE=atexit_sleep_ms=10 $(GO) test -race -timeout 30m ./...

bench: build test-deps ## measure speed, also of tcpdump and libpcap; OUT=FILE keeps the report, ONLY=PARTS selects
	$(GO) run ./internal/bench $(if $(OUT),-o $(OUT)) $(if $(ONLY),-only $(ONLY))

soak: build ## run a daemon with many programs for MINUTES, and see that nothing grows; needs root
	$(GO) build -o bin/soak ./internal/soak
	$(AS_ROOT) bin/soak -mapid bin/mapid -minutes $(MINUTES)

fuzz: build ## run each fuzz target for FUZZTIME (default 1m)
	@grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed 's|/[^/]*:[0-9]*:func | |' | sort | \
	while read -r dir target; do \
	  echo "$$dir $$target"; \
	  $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$dir || exit 1; \
	done

lint: build ## run gofmt, vet, staticcheck
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not formatted: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

# Packages that need C are left out: they are checked on the machine that builds them.
WITH_C := gomapi/internal/filter/libpcap gomapi/internal/content gomapi/cmd/libmapi github.com/google/gopacket/pcap

arm64: export CGO_ENABLED = 0
arm64: export GOARCH = arm64
arm64: go ## build and vet the packages without C for arm64
	@without() { \
	  $(GO) list "$$@" -f '{{if .GoFiles}}{{or .ForTest .ImportPath}} {{.ImportPath}} {{join .Deps " "}}{{end}}' ./... | awk -v with="$(WITH_C)" ' \
	    BEGIN {n = split(with, list, " "); for (i in list) c[list[i]]} \
	    {all[$$1]; for (i = 2; i <= NF; i++) if ($$i in c) bad[$$1]} END {for (p in all) if (!(p in bad) && p !~ /\.test$$/) print p}'; \
	}; \
	$(GO) build $$(without) && $(GO) vet $$(without -test)

gen: go ## write the generated files, which are committed
	@$(MAKE) --no-print-directory deps DEPS=protobuf-compiler
	GOBIN=$(CURDIR)/bin $(GO) install google.golang.org/protobuf/cmd/protoc-gen-go
	PATH="$(CURDIR)/bin:$$PATH" $(GO) generate ./...

api: go ## write the description of the API, which is committed; a test compares both
	$(GO) test -count=1 -run '^TestAPI$$' ./internal/arch -update

module: go ## change the import path to MODULE=host/path, to publish the module
	@etc/module '$(MODULE)'

install: build install-libmapi ## install below PREFIX (default /usr/local); heeds SYSCONFDIR and DESTDIR
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
