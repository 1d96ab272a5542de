# `make help` lists the targets. Everything needs Go 1.26 and redis-server, the tests PostgreSQL and Chromium too: they are installed where apt-get is. With
# REDIS_SERVER=/path/to/server everything runs on that program instead, another Redis or a Valkey.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Without the workspace (go.work): each module is checked with what its own go.mod says, as those who import it have it.
export GOWORK := off

# Staticcheck has a module file of its own: what checks this library is not in its users' go.sum.
STATICCHECK := go tool -modfile=$(CURDIR)/tools/go.mod staticcheck

# The modules inside this one: what they need is not in the library's go.sum. The second are those with tests. go.work names them, too.
NESTED := $(patsubst %/go.mod,%,$(wildcard bench/go.mod cache/pg/go.mod examples/postgres/go.mod))
TESTED := $(filter-out bench,$(NESTED))

# Empty: a full run. A duration: a shortened run that takes about so long.
STRESS_TIME ?=
FUZZ_TIME   ?= 30s
BENCH_ARGS  ?=

# The server program of all tests; empty: the redis-server in PATH. A path is made absolute: tests run in their own folders.
REDIS_SERVER ?=
override REDIS_SERVER := $(if $(findstring /,$(REDIS_SERVER)),$(abspath $(REDIS_SERVER)),$(REDIS_SERVER))
export REDIS_SERVER

.PHONY: help test race lint stress mutants bench fuzz install-redis install-postgresql install-chromium ci

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  REDIS_SERVER=/path/to/server make ...: on another server program than the redis-server in PATH'

test: install-redis install-postgresql install-chromium lint race ## what must pass before a commit: formatting, vet, staticcheck, all tests under the race detector

race: install-redis install-postgresql install-chromium ## all tests under the race detector, also those of the nested modules
	go test -race -timeout 10m ./...
	@for module in $(TESTED); do echo "cd $$module && go test -race ./..."; (cd $$module && go test -race -timeout 10m ./...); done

lint: ## gofmt, go vet, staticcheck, also of the nested modules' code
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on: $$unformatted" >&2; exit 1; fi
	go vet ./...
	$(STATICCHECK) ./...
	@for module in $(NESTED); do echo "cd $$module && go vet, staticcheck"; (cd $$module && go vet ./... && $(STATICCHECK) ./...); done

# The tests end by themselves within 30 minutes and say what is missing; the time-out of go test is for those that hang.
stress: install-redis ## the long proof: models, faults, crashes, until the full volume is done, 30m at most (STRESS_TIME=2m: a shortened run)
	go test -race -count=1 -v -timeout 35m ./stress -args $(if $(STRESS_TIME),-stress.duration=$(STRESS_TIME),-stress.full)

mutants: install-redis ## plant bugs in a copy and see the tests catch each of them
	go run ./stress/mutants

bench: install-redis install-postgresql ## measure (BENCH_ARGS): a program of its own module
	cd bench && go run . $(BENCH_ARGS)

fuzz: ## every fuzz target for FUZZ_TIME=30s each
	@grep -rlE --include='*_test.go' '^func Fuzz[A-Z]' . | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]+)\(.*/\1/p' "$$file"); do \
			echo "fuzz $$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) "$$(dirname "$$file")" </dev/null; \
		done; \
	done

install-redis: ## install redis-server where it is missing (Debian and Ubuntu), unless REDIS_SERVER names a server
	@tools/install redis-server
	@$(or $(REDIS_SERVER),redis-server) --version

install-postgresql: ## install PostgreSQL where it is missing (Debian and Ubuntu): the tests of cache/pg start servers of their own
	@tools/install postgresql

install-chromium: ## install Chromium where it is missing (Debian and Ubuntu): a test looks at the page of examples/server with it
	@tools/install chromium

ci: ## what the continuous integration runs
	.ci/run
