# Every target installs what it needs first. `make help` lists them.

PYTHON ?= python3
# Four jobs on two cores, because many tests wait for blocks.
JOBS ?= 4
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
BENCH_VENV := .venv-bench
INSTALLED_BENCH := $(BENCH_VENV)/.installed
CROISSANT_VENV := .venv-croissant
INSTALLED_CROISSANT := $(CROISSANT_VENV)/.installed
CLIENT_VENV := .venv-client
INSTALLED_CLIENT := $(CLIENT_VENV)/.installed
NODE_MODULES := node_modules/.package-lock.json
PEER_MODULES := scripts/peers/node_modules/.package-lock.json

# The tests start hundreds of Python processes: let them keep what they compile.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-dev node system geth network demo test check lint types fresh bench chaos disk-faults abuse abuse-paid assurance mutants artifacts openapi clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## make .venv with .venv/bin/tdr

install-dev: $(INSTALLED_DEV) ## the same, with the development tools

$(INSTALLED): requirements/runtime.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed, and $(PYTHON) is `$(PYTHON) --version 2>&1`. Name another: make PYTHON=python3.12 ..."; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --config-settings editable_mode=compat -e .
	touch $@

$(INSTALLED_DEV): $(INSTALLED) requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

$(INSTALLED_BENCH): requirements/bench.txt | $(INSTALLED)
	test -x $(BENCH_VENV)/bin/python || $(BIN)/python -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.txt
	touch $@

node: $(NODE_MODULES) ## install the compiler and the test chain (Node 20 or later)

$(NODE_MODULES): package.json package-lock.json
	@node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null || \
		{ echo "Node 20 or later is needed for the compiler and the test chain: https://nodejs.org"; exit 1; }
	npm ci --no-progress --loglevel=error
	touch $@

$(PEER_MODULES): scripts/peers/package.json scripts/peers/package-lock.json
	cd scripts/peers && npm ci --no-progress --loglevel=error
	touch $@

# An independent reader of Croissant documents; its dependencies are too many for the environment of everything else.
$(INSTALLED_CROISSANT): requirements/croissant.txt | $(INSTALLED)
	test -x $(CROISSANT_VENV)/bin/python || $(BIN)/python -m venv $(CROISSANT_VENV)
	$(CROISSANT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/croissant.txt
	touch $@

# The generator of clients wants another version of typer than the command line.
$(INSTALLED_CLIENT): requirements/client.txt | $(INSTALLED)
	test -x $(CLIENT_VENV)/bin/python || $(BIN)/python -m venv $(CLIENT_VENV)
	$(CLIENT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/client.txt
	touch $@

system: install-dev ## install the system packages for the tests: PostgreSQL, Chromium, Graphviz, Poppler, strace
	@$(BIN)/python -m scripts.system_packages

geth: install-dev ## build geth for the test network, once, into the user's cache (Go 1.21 or later)
	@$(BIN)/python -m scripts.network.geth

network: install-dev geth ## run three geth validators and a registry node on them, until Ctrl-C
	$(BIN)/python -m scripts.network

demo: install ## show every step on real data, with real processes (Python only)
	$(BIN)/python -m scripts.demo

test: install-dev node system geth $(INSTALLED_CROISSANT) $(INSTALLED_CLIENT) ## run all tests
	MLCROISSANT=$(CURDIR)/$(CROISSANT_VENV)/bin/mlcroissant $(BIN)/python -m pytest -n $(JOBS) --dist worksteal --durations=20

check: lint types fresh test ## run ruff, strict mypy, the freshness checks and all tests

lint: install-dev ## run ruff
	$(BIN)/ruff check .

types: install-dev ## run strict mypy
	$(BIN)/mypy

fresh: install-dev node ## check that generated files are up to date
	$(BIN)/python -m scripts.compile_contracts --check
	$(BIN)/python -m scripts.releases --check
	$(BIN)/python -m scripts.schemas --check
	$(BIN)/python -m scripts.examples --check
	$(BIN)/python -m scripts.openapi --check

bench: install-dev node $(INSTALLED_BENCH) $(PEER_MODULES) system ## measure beside comparable projects; ONLY=name for one
	$(BIN)/python -m scripts.bench $(if $(ONLY),--only $(ONLY))

chaos: install-dev node system ## run with kills, faults and reorgs; KILLS=n SEED=s
	$(BIN)/python -m scripts.chaos $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

disk-faults: install-dev system ## run on failing and full disks; WRITES=n KIND=EIO or ENOSPC
	$(BIN)/python -m scripts.disk_faults $(if $(WRITES),--writes $(WRITES)) $(if $(KIND),--kind $(KIND))

abuse: install-dev ## run with hostile load of every kind beside honest owners; SECONDS=n SEED=s
	$(BIN)/python -m scripts.abuse $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

abuse-paid: install-dev node ## the same on a network where gas costs money; SECONDS=n SEED=s
	$(BIN)/python -m scripts.abuse --network paid $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

assurance: install-dev node system ## run the long forms of all randomised tests, and print their seeds; SECONDS=n for each part, ONLY=walks,fuzz,kills,disks,abuse,abuse-paid,mutants
	$(BIN)/python -m scripts.assurance $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only $(ONLY))

mutants: install-dev node ## put faults into the contracts, each of which a test must detect; SAMPLE=n SEED=s
	$(BIN)/python -m scripts.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

artifacts: install-dev node ## compile the contracts into registry/artifacts/
	$(BIN)/python -m scripts.compile_contracts

openapi: install-dev ## write docs/openapi.json and its examples
	$(BIN)/python -m scripts.examples
	$(BIN)/python -m scripts.openapi

clean: ## remove installed and generated files
	rm -rf $(VENV) $(BENCH_VENV) $(CROISSANT_VENV) $(CLIENT_VENV) node_modules scripts/peers/node_modules bench-results.json chaos-results.json disk-results.json mutants-results.json abuse-results.json abuse-paid-results.json
