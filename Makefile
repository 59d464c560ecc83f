# Surehook. `make` lists what there is; each target does its own set-up. Each line calls one tool.
# What is done is marked by a file in .build/ (or by what the tool itself leaves), so a second run does only what changed.

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
SUREHOOK := target/debug/surehook
FUZZ := headers verify secret envelope diagnosis scheme
NPM_CI := npm ci --no-audit --no-fund --loglevel=error --prefix

# What the command, the wheel and the addon are made of.
rust = Cargo.toml Cargo.lock $(shell find $(1) -name '*.rs' -o -name Cargo.toml)
files = $(shell find $(1) -type f -not -path '*/__pycache__/*' -not -path '*/node_modules/*' 2>/dev/null)
CORE := $(call rust,core/src core/Cargo.toml sdk/src sdk/Cargo.toml)

.PHONY: help demo test build packages surehook dashboard bench conformance gen lint
.PHONY: test-format test-dashboard test-rust test-python test-node test-differential test-demo test-e2e
.PHONY: bench-python bench-node bench-core bench-sdk bench-limits bench-collector bench-dedup bench-timing mutants
.PHONY: fuzz fuzz-corpus $(FUZZ:%=fuzz-%) $(FUZZ:%=fuzz-corpus-%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

demo: build .build/express ## a collector, two applications and a story of 200 events; ONCE=1 stops after the summary
	$(BIN)/python examples/demo/demo.py --surehook $(SUREHOOK) $(if $(ONCE),--once)

test: test-format test-dashboard test-rust test-python test-node test-differential test-demo test-e2e ## everything, in every language: what CI runs

build: surehook .build/wheel .build/tarball ## the command, the wheel and the npm package, as tests use them

# --- the tests, cheapest first -------------------------------------------------------------------------------------

test-format: .build/tools .build/venv
	cargo fmt --all --check
	$(BIN)/ruff check python examples
	$(BIN)/ruff format --check python examples

test-dashboard: dashboard
	npm run --prefix dashboard lint
	npm run --prefix dashboard typecheck
	npm test --prefix dashboard

test-rust: dashboard .build/servers
	cargo test --workspace --exclude surehook-python --exclude surehook-node
	cargo test -p surehook-core --features loom --test loom
	cargo clippy --workspace --all-targets -- -D warnings

test-python: .build/wheel .build/servers
	cd python && ../$(BIN)/mypy
	cd python && ../$(BIN)/lint-imports
	$(BIN)/pytest python/tests

test-node: .build/tarball .build/servers
	npm run --prefix node lint
	npm test --prefix node

test-differential: .build/tools
	$(PYTHON) tests/vectors/disagreements.py --check $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT))

test-demo: build .build/express
	$(BIN)/python examples/demo/demo.py --surehook $(SUREHOOK) --once

test-e2e: build .build/browser tests/e2e/node_modules/.package-lock.json
	CHROMIUM="$$(cat .build/browser)" npm test --prefix tests/e2e

# --- what the tests are made of ------------------------------------------------------------------------------------

surehook: dashboard ## the command: target/debug/surehook
	cargo build -p surehook-cli

dashboard: .build/dashboard ## the web app that the collector embeds

.build/tools: scripts/doctor
	scripts/doctor tools
	@mkdir -p .build && touch $@

.build/browser: scripts/doctor | .build/tools
	scripts/doctor browser > $@

.build/servers: scripts/doctor | .build/tools
	scripts/doctor servers
	@touch $@

.build/venv: python/requirements-dev.txt | .build/tools
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r python/requirements-dev.txt
	@touch $@

# npm writes this file last.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json | .build/tools
	$(NPM_CI) $*
	@touch $@

.build/dashboard: dashboard/node_modules/.package-lock.json $(call files,dashboard/src dashboard/public dashboard/index.html dashboard/vite.config.ts)
	npm run --prefix dashboard build
	@touch $@

.build/wheel: .build/venv python/install-dev python/pyproject.toml $(CORE) $(call files,bindings/python python/src)
	python/install-dev
	@touch $@

.build/addon: node/node_modules/.package-lock.json $(CORE) $(call files,bindings/node)
	npm run --prefix node build:native
	@touch $@

.build/tarball: .build/addon $(call files,node/src node/package.json node/tsconfig.build.json)
	npm run --prefix node build
	npm pack ./node --pack-destination .build --loglevel=error
	@touch $@

# The example as a user installs it: the packed package in place of the folder that its package.json names.
.build/express: .build/tarball examples/express/package.json
	npm install --no-save --no-package-lock --no-audit --no-fund --loglevel=error --prefix examples/express .build/surehook-*.tgz
	@touch $@

# --- beside the tests ----------------------------------------------------------------------------------------------

conformance: .build/wheel .build/tarball ## run the shared vectors in every language and print how many ran
	cargo test --quiet -p surehook-core --test vectors --test wycheproof -- --nocapture
	$(BIN)/pytest --quiet --capture=no -k conformance python/tests
	npm run --prefix node test:conformance

lint: test-format dashboard .build/wheel .build/tarball .build/cargo-deny ## every check that reads code, licences included
	cargo clippy --workspace --all-targets -- -D warnings
	.build/cargo-deny/bin/cargo-deny check bans licenses sources
	cd python && ../$(BIN)/mypy
	cd python && ../$(BIN)/lint-imports
	npm run --prefix node lint
	npm run --prefix node lint:package
	npm run --prefix dashboard lint
	npm run --prefix dashboard typecheck

packages: .build/tools node/node_modules/.package-lock.json .build/venv ## the wheel and the npm package as they would be published, in .build/packages
	cd python && ../$(BIN)/maturin build --release --out ../.build/packages
	npm run --prefix node build:native -- --release
	npm run --prefix node build
	npm pack ./node --pack-destination .build/packages --loglevel=error
	@rm -f .build/addon

# The rooms in which the bar of a figure is measured; ONLY=P3 runs one bar.
room_P1 := python
room_P2 := python
room_P3 := node
room_P4 := node
room_P5 := core
room_P7 := sdk node python
room_P8 := collector
room_P11 := dedup
room_P12 := dedup
room_S6 := limits

bench: $(sort $(foreach bar,$(or $(ONLY),P1 P2 P3 P4 P5 P7 P8 P11 P12 S6),$(room_$(bar):%=bench-%))) ## one JSON line a figure, beside its peer; ONLY=P3 runs one

bench-python: .build/tools
	@python/bench/run

bench-node: node/node_modules/.package-lock.json
	@npm run --silent --prefix node bench

bench-core: .build/tools
	@cargo bench --quiet -p surehook-core --bench verify

bench-limits: .build/tools
	@cargo bench --quiet -p surehook-core --bench limits

bench-timing: .build/tools ## does a check's time tell where a wrong signature differs? It fails when it does, or when its control does not
	@cargo bench --quiet -p surehook-core --bench timing

bench-sdk: .build/tools
	@cargo bench --quiet -p surehook --bench record

bench-collector: dashboard
	@cargo bench --quiet -p surehook-collector --bench ingest

bench-dedup: .build/servers
	@cargo bench --quiet -p surehook --bench dedup

# Nightly Rust, for the fuzzer's instrumentation. fuzz/README.md tells where what it finds is, and what to do with it.
SECONDS ?= 60
fuzz_run = RUSTUP_TOOLCHAIN=nightly .build/cargo-fuzz/bin/cargo-fuzz
fuzz_flags = -max_len=2048 -rss_limit_mb=512 -print_final_stats=1 -artifact_prefix=$(CURDIR)/.build/fuzz/found/$*/
merge_flags = -set_cover_merge=1 -use_counters=0 -max_len=1024

fuzz: $(FUZZ:%=fuzz-%) ## every fuzz target for SECONDS=60, one after the other; needs nightly Rust

$(FUZZ:%=fuzz-%): fuzz-%: .build/cargo-fuzz
	@mkdir -p .build/fuzz/$* .build/fuzz/found/$*
	$(fuzz_run) run --sanitizer none $* .build/fuzz/$* fuzz/corpus/$* -- -max_total_time=$(SECONDS) $(fuzz_flags)

fuzz-corpus: $(FUZZ:%=fuzz-corpus-%) ## keep the inputs that cover what `make fuzz` has covered

$(FUZZ:%=fuzz-corpus-%): fuzz-corpus-%: .build/cargo-fuzz
	@rm -rf .build/fuzz/$*.kept && mkdir -p .build/fuzz/$* .build/fuzz/$*.kept
	$(fuzz_run) run --sanitizer none $* .build/fuzz/$*.kept .build/fuzz/$* fuzz/corpus/$* -- $(merge_flags)
	@rm -rf fuzz/corpus/$* && mv .build/fuzz/$*.kept fuzz/corpus/$*

mutants: .build/cargo-mutants ## break the verification in every way that cargo-mutants knows: a test must see each; takes hours
	.build/cargo-mutants/bin/cargo-mutants mutants --config core/mutants.toml -p surehook-core --jobs 1 --output .build/mutants

gen: .build/tools node/node_modules/.package-lock.json ## write again what is generated; `git diff` must then be empty
	$(PYTHON) tests/vectors/generate.py
	$(PYTHON) docs/generate-providers.py
	npm run --prefix node generate

.build/cargo-deny: | .build/tools
	cargo install --quiet --locked --root $@ cargo-deny --version 0.20.2

.build/cargo-fuzz: | .build/tools
	cargo install --quiet --locked --root $@ cargo-fuzz --version 0.13.2

.build/cargo-mutants: | .build/tools
	cargo install --quiet --locked --root $@ cargo-mutants --version 27.1.0
